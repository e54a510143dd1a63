// outstation release: signs a component into the image repository and puts it, with deltas, on the broker.
import { sha256Hex } from "../../base/hash.ts";
import { describeAgeing } from "../../operator/ceremony/ageing.ts";
import { checkComponent } from "../../operator/checkComponent.ts";
import { publishRelease } from "../../operator/publish.ts";
import {
  addRelease,
  listReleases,
  type AddedRelease,
  type ListedRelease,
} from "../../operator/repository/addRelease.ts";
import { parseReleaseName } from "../../protocol/release.ts";
import type { Workspace } from "../../operator/workspace.ts";
import { textOption, wordAt } from "../arguments.ts";
import { UsageError, type Command, type CommandContext } from "../command.ts";
import { readInput } from "../input.ts";
import { tellPending } from "./targets.ts";

export const release: Command = {
  name: "release",
  summary: "sign a component as a release and publish it",
  synopsis: "<name@version> <component.wasm> [--as <publisher>] [--floor <counter>]",
  help: `Signs the component into the image repository and publishes it: whole, and as deltas from the last three
releases of the same name. Nothing runs anywhere until it is deployed. A version never changes: the same bytes may be
released again, which publishes them again (when the broker was away or lost what it held); others need a new version.

Where the keys that must sign are not here, the release waits in pending/ (exit code 75): outstation targets --help.
With --as, a publisher's key signs it: outstation publisher --help. With --floor, no release of that name with a lower
counter is installed any more, whoever deploys it; each release counts one up from 1.

  outstation release boiler@1.0.0 boiler.wasm
  outstation release boiler@1.2.0 boiler.wasm --floor 3`,
  options: { as: { type: "string" }, floor: { type: "string" } },
  words: { min: 2, max: 2 },
  run: async (context) => {
    const name = wordAt(context, 0);
    if (!/^.+@.+$/.test(name)) throw new UsageError("Name the release as name@version: boiler@1.0.0");
    const { component, version } = parseReleaseName(name);
    const source = wordAt(context, 1);
    const wasmBytes = await readInput(source, "component file");
    checkComponent(wasmBytes, source);
    const workspace = await context.workspace();
    const known = await findSame(workspace, name, wasmBytes);
    const listed: AddedRelease =
      known ?? (await addRelease(workspace, { component, version, wasmBytes, ...readOptions(context) }));
    if (listed.pending !== undefined) return tellPending(context, name, listed.pending);
    context.progress(known === undefined ? `${name} is signed` : `${name} is signed already, with these bytes`);
    for (const line of await describeAgeing(workspace)) context.progress(line);
    await using session = await context.session(workspace);
    await publishRelease(workspace, { component, version }, session.link);
    const { lengthBytes, sha256 } = listed;
    const { full, deltas } = listed.release;
    const deltaBytes = Object.values(deltas).map((delta) => delta.length);
    const smallest = deltaBytes.length > 0 ? `, ${Math.min(...deltaBytes)} bytes as the smallest delta` : "";
    return context.print(`${name} is released: ${lengthBytes} bytes, ${full.length} compressed${smallest}.`, {
      release: name,
      lengthBytes,
      sha256,
      fullBytes: full.length,
      deltaBytes,
    });
  },
};

function readOptions(context: CommandContext): { readonly publisher?: string; readonly floor?: number } {
  const [publisher, text] = [textOption(context, "as"), textOption(context, "floor")];
  if (text !== undefined && !/^[1-9]\d{0,14}$/.test(text))
    throw new UsageError(`--floor "${text}" is no counter: a whole number from 1.`);
  return {
    ...(publisher === undefined ? {} : { publisher }),
    ...(text === undefined ? {} : { floor: Number(text) }),
  };
}

/** The release of this name when it has these very bytes; one with others is refused when it is added. */
async function findSame(workspace: Workspace, name: string, wasmBytes: Uint8Array): Promise<ListedRelease | undefined> {
  const sha256 = sha256Hex(wasmBytes);
  const listed = await listReleases(workspace, parseReleaseName(name).component);
  return listed.find(
    ({ release, ...rest }) => `${release.component}@${release.version}` === name && rest.sha256 === sha256,
  );
}
