// outstation release: signs a component into the image repository and puts it, with deltas, on the broker.
import { publishRelease } from "../../operator/publish.ts";
import { addRelease } from "../../operator/repository/addRelease.ts";
import { parseReleaseName } from "../../protocol/release.ts";
import { wordAt, UsageError, type Command } from "../command.ts";
import { readInput } from "../input.ts";

export const release: Command = {
  name: "release",
  summary: "sign a component as a release and publish it",
  synopsis: "<name@version> <component.wasm>",
  help: `Signs the component into the image repository and publishes it: whole, and as deltas from the last three
releases of the same name. Nothing runs anywhere until it is deployed. A version can be released once.

  outstation release boiler@1.0.0 boiler.wasm`,
  options: {},
  words: { min: 2, max: 2 },
  run: async (context) => {
    const { component, version } = parseReleaseName(wordAt(context, 0));
    if (component === "" || version === "") throw new UsageError("Name the release as name@version: boiler@1.0.0");
    const wasmBytes = await readInput(wordAt(context, 1), "component");
    const workspace = await context.workspace();
    const { lengthBytes, sha256, release: listed } = await addRelease(workspace, { component, version, wasmBytes });
    context.progress(`${component}@${version} is signed`);
    await using session = await context.session(workspace);
    await publishRelease(workspace, { component, version }, session.link);
    const deltas = Object.values(listed.deltas).map((delta) => delta.length);
    const smallest = deltas.length > 0 ? `, ${Math.min(...deltas)} bytes as the smallest delta` : "";
    context.print(
      `${component}@${version} is released: ${lengthBytes} bytes, ${listed.full.length} compressed${smallest}.`,
      { release: `${component}@${version}`, lengthBytes, sha256, fullBytes: listed.full.length, deltaBytes: deltas },
    );
  },
};
