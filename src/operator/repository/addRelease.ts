// A new release: compressed, with deltas from the releases before it, and signed into the image repository.
import { TargetFile } from "@tufjs/models";
import * as v from "valibot";
import { sha256Hex } from "../../base/hash.ts";
import { limits } from "../../base/limits.ts";
import { compressFull, makeDelta } from "../../protocol/compression.ts";
import { parseValue } from "../../protocol/document.ts";
import { componentDeploymentSchema } from "../../protocol/deployment.ts";
import { digestNeeds, releasePath, releaseSchema } from "../../protocol/release.ts";
import type { BlobReference, Needs, Release } from "../../protocol/release.ts";
import { OperatorError } from "../error.ts";
import { readBytes, writeFileAtomic } from "../files.ts";
import type { Workspace } from "../workspace.ts";
import { changeTargets, checkNothingPending } from "../ceremony/changeTargets.ts";
import { checkPublisherPath, listTargets } from "./delegations.ts";
import { blobPath, componentPath, imageDirectory } from "./places.ts";
import { renewRepository } from "./renew.ts";
import type { Renewal } from "./renew.ts";
import { loadRepository } from "./repository.ts";

/** Gateways further behind than this fetch the whole component; each delta costs a compression and a blob. */
const deltaBases = 3;

type JsonValue = NonNullable<ConstructorParameters<typeof TargetFile>[0]["unrecognizedFields"]>[string];

export interface NewRelease {
  readonly component: string;
  readonly version: string;
  readonly wasmBytes: Uint8Array;
  readonly needs?: Needs;
  /** From now on no release of this component with a lower counter may be installed anywhere. */
  readonly floor?: number;
  /** Signs it in place of the fleet's own targets keys. */
  readonly publisher?: string;
}

export interface ListedRelease {
  readonly lengthBytes: number;
  readonly sha256: string;
  readonly release: Release;
}

export interface AddedRelease extends ListedRelease {
  /** The file that waits for signatures of keys which are not here; undefined when the release is signed. */
  readonly pending?: string;
}

/** Adds and signs a release; refuses a version that exists, since gateways may hold its bytes already. */
export async function addRelease(workspace: Workspace, added: NewRelease): Promise<AddedRelease> {
  const { component, version, wasmBytes, floor, publisher } = added;
  checkRelease(added);
  const state = await loadRepository(imageDirectory(workspace));
  const path = releasePath(component, version);
  const known = await listReleases(workspace, component);
  if (known.some(({ release }) => release.version === version))
    throw new OperatorError("release-exists", `${component}@${version} is released. Choose the next version.`);
  if (publisher !== undefined) checkPublisherPath(state, publisher, path);
  const role = publisher ?? "targets";
  await checkNothingPending(workspace, role, state);
  const counter = Math.max(0, ...known.map(({ release }) => release.counter)) + 1;
  if (floor !== undefined && floor > counter)
    throw new OperatorError(
      "release-invalid",
      `The floor ${floor} would forbid this release itself, number ${counter}.`,
    );
  const full = await compressFull(wasmBytes);
  const deltas = await makeDeltas(workspace, wasmBytes, known.slice(0, deltaBases), full.byteLength);
  const release: Release = {
    component,
    version,
    counter,
    ...(added.needs === undefined ? {} : { needs: added.needs, world: digestNeeds(added.needs) }),
    full: await keepBlob(workspace, full),
    deltas: Object.fromEntries(deltas),
    ...(floor === undefined ? {} : { floor }),
  };
  const sha256 = sha256Hex(wasmBytes);
  await writeFileAtomic(componentPath(workspace, component, version), wasmBytes);
  const listed = { lengthBytes: wasmBytes.byteLength, sha256, release };
  const target = createReleaseTarget(listed);
  const outcome = await changeTargets(workspace, role, ({ targets }) => ({ targets: [...targets, target] }));
  return outcome.kind === "signed" ? listed : { ...listed, pending: outcome.path };
}

/** Releases of the image repository and its publishers, newest first; all of them or one component's. */
export async function listReleases(workspace: Workspace, component?: string): Promise<readonly ListedRelease[]> {
  return selectReleases(listTargets(await loadRepository(imageDirectory(workspace))), component);
}

/**
 * Signs the image repository again when more than half of its freshness is gone; resolves to whether it did. A gateway
 * installs nothing from expired metadata, and a fleet that deploys what was released long ago must not wait for a release.
 */
export async function renewImageWhenStale(workspace: Workspace): Promise<boolean> {
  const { expiries } = await loadRepository(imageDirectory(workspace));
  const freshMs = workspace.expiries.timestampMs / 2;
  if (Math.min(expiries.timestamp, expiries.snapshot) - workspace.clock.nowMs() > freshMs) return false;
  await renewImage(workspace);
  return true;
}

/** Signs the image repository again before its metadata expires; resolves to what its targets still need. */
export function renewImage(workspace: Workspace): Promise<Renewal["targets"]> {
  return renewRepository(workspace, { repository: "image", directory: imageDirectory(workspace) });
}

function checkRelease({ component, version, wasmBytes }: NewRelease): void {
  const name = v.safeParse(componentDeploymentSchema.entries.release, `${component}@${version}`);
  if (!name.success)
    throw new OperatorError("release-invalid", `"${component}@${version}" is no release: ${name.issues[0].message}.`);
  if (releasePath(component, version).length > limits.trust.pathCharacters)
    throw new OperatorError(
      "release-invalid",
      `The version "${version}" is too long for any gateway. Take a short one.`,
    );
  const { componentMaxBytes } = limits.blob;
  if (wasmBytes.byteLength === 0)
    throw new OperatorError("release-invalid", "The component is empty. Check the path of the built file.");
  if (wasmBytes.byteLength > componentMaxBytes)
    throw new OperatorError(
      "release-too-large",
      `The component has more than ${componentMaxBytes} bytes. Make it smaller.`,
    );
}

function selectReleases(targets: readonly TargetFile[], component?: string): readonly ListedRelease[] {
  return targets
    .map((target) => ({
      lengthBytes: target.length,
      sha256: target.hashes["sha256"] ?? "",
      release: parseValue(releaseSchema, target.custom, { what: `release ${target.path}` }),
    }))
    .filter(({ release }) => component === undefined || release.component === component)
    .sort((a, b) => b.release.counter - a.release.counter);
}

async function makeDeltas(
  workspace: Workspace,
  next: Uint8Array,
  bases: readonly ListedRelease[],
  fullBytes: number,
): Promise<readonly (readonly [string, BlobReference])[]> {
  const deltas: (readonly [string, BlobReference])[] = [];
  for (const { sha256, release } of bases) {
    const path = componentPath(workspace, release.component, release.version);
    const delta = await makeDelta(await readBytes(path, "released component"), next);
    // One that saves nothing would only cost the broker memory.
    if (delta.byteLength < fullBytes) deltas.push([sha256, await keepBlob(workspace, delta)]);
  }
  return deltas;
}

async function keepBlob(workspace: Workspace, bytes: Uint8Array): Promise<BlobReference> {
  const sha256 = sha256Hex(bytes);
  await writeFileAtomic(blobPath(workspace, sha256), bytes);
  return { sha256, length: bytes.byteLength };
}

function createReleaseTarget({ lengthBytes, sha256, release }: ListedRelease): TargetFile {
  // As JSON has it: what is undefined is not there.
  const custom = JSON.parse(JSON.stringify(release)) as Record<string, JsonValue>;
  const path = releasePath(release.component, release.version);
  return new TargetFile({ path, length: lengthBytes, hashes: { sha256 }, unrecognizedFields: { custom } });
}
