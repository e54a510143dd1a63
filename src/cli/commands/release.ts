// outstation release: signs a component into the image repository and puts it, with deltas, on the broker.
import { sha256Hex } from "../../base/hash.ts";
import { limits } from "../../base/limits.ts";
import { describeAgeing } from "../../operator/ceremony/ageing.ts";
import { checkComponent } from "../../operator/checkComponent.ts";
import { publishRelease } from "../../operator/publish.ts";
import {
  addRelease,
  listReleases,
  type AddedRelease,
  type ListedRelease,
} from "../../operator/repository/addRelease.ts";
import { readComponentSource } from "../../operator/source/componentSource.ts";
import { readComponentWorld } from "../../operator/source/componentWorld.ts";
import { checkProvenance } from "../../operator/source/provenance.ts";
import { parseReleaseName, type Needs } from "../../protocol/release.ts";
import type { Workspace } from "../../operator/workspace.ts";
import { textOption, wordAt } from "../arguments.ts";
import { UsageError, type Command, type CommandContext } from "../command.ts";
import { readInput } from "../input.ts";
import { isName } from "../../protocol/topics.ts";
import { tellPending } from "./targets.ts";

export const release: Command = {
  name: "release",
  summary: "sign a component as a release and publish it",
  synopsis: "<name@version> <component.wasm | oci:layout[@tag]> [options]",
  help: `Signs the component into the image repository and publishes it: whole, and as deltas from the last three
releases of the same name. Nothing runs anywhere until it is deployed. A version never changes: the same bytes may be
released again, which publishes them again (when the broker was away or lost what it held); others need a new version.

  --as <publisher>  --floor <counter>  --bundle <sigstore bundle>  --hardware <names>  --agent <oldest version>

Where the keys that must sign are not here, the release waits in pending/ (exit code 75): outstation targets --help.
With --as, a publisher's key signs it: outstation publisher --help. With --floor, no release of that name with a lower
counter is installed any more, whoever deploys it; each release counts one up from 1.

The component is a file, or an image in an OCI layout on disk. The interfaces it imports go into the release, so that a
gateway which cannot run it says so before it fetches anything; --hardware (one or more names, separated by commas) and
--agent (its oldest version) say what else it needs. With a provenance.json in the workspace, nothing is signed without
a sigstore bundle that proves who built it (--bundle; see docs/operate.md).

  outstation release boiler@1.0.0 boiler.wasm
  outstation release boiler@1.1.0 oci:boiler-layout@1.1.0 --bundle boiler.sigstore.json
  outstation release boiler@1.2.0 boiler.wasm --floor 3 --hardware rpi-4,rpi-5`,
  options: {
    as: { type: "string" },
    floor: { type: "string" },
    bundle: { type: "string" },
    hardware: { type: "string" },
    agent: { type: "string" },
  },
  words: { min: 2, max: 2 },
  run: async (context) => {
    const name = wordAt(context, 0);
    if (!/^.+@.+$/.test(name)) throw new UsageError("Name the release as name@version: boiler@1.0.0");
    const { component, version } = parseReleaseName(name);
    const source = wordAt(context, 1);
    const wasmBytes = await readComponentSource(source);
    checkComponent(wasmBytes, source);
    const needs = readNeeds(context, wasmBytes);
    const workspace = await context.workspace();
    await tellProvenance(context, workspace, wasmBytes);
    const known = await findSame(workspace, name, wasmBytes);
    const added = { component, version, wasmBytes, ...(needs && { needs }), ...readOptions(context) };
    const listed: AddedRelease = known ?? (await addRelease(workspace, added));
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

async function tellProvenance(context: CommandContext, workspace: Workspace, wasmBytes: Uint8Array): Promise<void> {
  const file = textOption(context, "bundle");
  const bundle = file === undefined ? undefined : await readInput(file, "sigstore bundle");
  const identity = await checkProvenance(workspace.directory, wasmBytes, bundle);
  if (identity !== undefined) context.progress(`built by ${identity}`);
}

/** Undefined when the binary cannot be followed and nothing was asked for: the gateway then finds out by itself. */
function readNeeds(context: CommandContext, wasmBytes: Uint8Array): Needs | undefined {
  const hardware = textOption(context, "hardware")?.split(",") ?? [];
  const agent = textOption(context, "agent");
  if (agent !== undefined && !/^\d+\.\d+\.\d+$/.test(agent))
    throw new UsageError(`--agent "${agent}" is no version such as 1.2.3.`);
  const wrong = hardware.find((name) => !isName(name));
  if (wrong !== undefined) throw new UsageError(`--hardware "${wrong}" is no name: a-z, 0-9, ".", "_" and "-".`);
  const world = readComponentWorld(wasmBytes);
  if (world === undefined && hardware.length === 0 && agent === undefined) return undefined;
  const { imports, exports } = world ?? { imports: [], exports: [] };
  const tooMany = Math.max(imports.length, exports.length) > limits.words.names;
  return {
    ...(agent !== undefined && { agent }),
    hardware,
    imports: tooMany ? [] : [...imports],
    exports: tooMany ? [] : [...exports],
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
