// One TUF repository in a directory: what it says now, and the next round of signatures over it.
import { join } from "node:path";
import { Metadata, MetadataKind } from "@tufjs/models";
import type { TargetFile } from "@tufjs/models";
import { targetFileName } from "../../protocol/repository.ts";
import { listNames, readBytes, readBytesIfPresent, writeFileAtomic } from "../files.ts";
import type { SigningKey } from "../keys/key.ts";
import type { Workspace } from "../workspace.ts";
import { signSnapshot, signTargets, signTimestamp } from "./metadata.ts";

export const timestampFile = "timestamp.json";

/** What the newest timestamp leads to; all zero and empty before the first round. */
export interface RepositoryState {
  readonly versions: { readonly timestamp: number; readonly snapshot: number; readonly targets: number };
  readonly targets: readonly TargetFile[];
  /** When the first of timestamp, snapshot and targets expires, in milliseconds since 1970. */
  readonly expiresMs: number;
}

export interface RoundSigners {
  readonly targets: readonly SigningKey[];
  readonly snapshot: SigningKey;
  readonly timestamp: SigningKey;
}

export async function loadRepository(directory: string): Promise<RepositoryState> {
  const timestampBytes = await readBytesIfPresent(join(directory, timestampFile));
  if (timestampBytes === undefined)
    return { versions: { timestamp: 0, snapshot: 0, targets: 0 }, targets: [], expiresMs: 0 };
  const timestamp = Metadata.fromJSON(MetadataKind.Timestamp, parse(timestampBytes)).signed;
  const snapshotVersion = timestamp.snapshotMeta.version;
  const snapshotBytes = await readBytes(join(directory, `${snapshotVersion}.snapshot.json`), "snapshot metadata");
  const snapshot = Metadata.fromJSON(MetadataKind.Snapshot, parse(snapshotBytes)).signed;
  const targetsVersion = snapshot.meta["targets.json"]?.version ?? 0;
  const targetsBytes = await readBytes(join(directory, `${targetsVersion}.targets.json`), "targets metadata");
  const targets = Metadata.fromJSON(MetadataKind.Targets, parse(targetsBytes)).signed;
  return {
    versions: { timestamp: timestamp.version, snapshot: snapshotVersion, targets: targetsVersion },
    targets: Object.values(targets.targets),
    expiresMs: Math.min(...[timestamp, snapshot, targets].map(({ expires }) => Date.parse(expires))),
  };
}

/** One round as it was signed: the files that a difference to a newer one is made from. */
export interface Round {
  readonly snapshot: number;
  /** Snapshot, targets, and the document when the targets list it. */
  readonly files: readonly Uint8Array[];
}

/** Undefined when not all of it is there any more. `document`: a target whose bytes belong to the round. */
export async function readRound(directory: string, version: number, document: string): Promise<Round | undefined> {
  const snapshot = await readBytesIfPresent(join(directory, `${version}.snapshot.json`));
  if (snapshot === undefined) return undefined;
  const { meta } = Metadata.fromJSON(MetadataKind.Snapshot, parse(snapshot)).signed;
  const targets = await readBytesIfPresent(join(directory, `${meta["targets.json"]?.version}.targets.json`));
  if (targets === undefined) return undefined;
  const listed = Metadata.fromJSON(MetadataKind.Targets, parse(targets)).signed.targets[document];
  if (listed === undefined) return { snapshot: version, files: [snapshot, targets] };
  const name = targetFileName(listed.path, listed.hashes["sha256"] ?? "");
  const bytes = await readBytesIfPresent(join(directory, name));
  return bytes && { snapshot: version, files: [snapshot, targets, bytes] };
}

/** Signs targets, snapshot and timestamp anew. The timestamp is written last: until then the old round holds. */
export async function signRound(
  workspace: Workspace,
  directory: string,
  round: { readonly targets: readonly TargetFile[]; readonly signers: RoundSigners },
): Promise<void> {
  const { versions } = await loadRepository(directory);
  const { expiries, clock } = workspace;
  const nowMs = clock.nowMs();
  const targets = {
    version: versions.targets + 1,
    bytes: signTargets(
      { version: versions.targets + 1, expiresMs: nowMs + expiries.targetsMs, targets: round.targets },
      round.signers.targets,
    ),
  };
  const snapshot = {
    version: versions.snapshot + 1,
    bytes: signSnapshot(
      { version: versions.snapshot + 1, expiresMs: nowMs + expiries.snapshotMs, targets },
      round.signers.snapshot,
    ),
  };
  const timestamp = signTimestamp(
    {
      version: versions.timestamp + 1,
      expiresMs: nowMs + expiries.timestampMs,
      signedAtMs: nowMs,
      snapshot,
    },
    round.signers.timestamp,
  );
  await writeFileAtomic(join(directory, `${targets.version}.targets.json`), targets.bytes);
  await writeFileAtomic(join(directory, `${snapshot.version}.snapshot.json`), snapshot.bytes);
  await writeFileAtomic(join(directory, timestampFile), timestamp);
}

export async function writeRoot(directory: string, version: number, bytes: Uint8Array): Promise<void> {
  await writeFileAtomic(join(directory, rootFileName(version)), bytes);
}

/** Versions of the roots in a directory, oldest first. */
export async function listRoots(directory: string): Promise<readonly number[]> {
  const names = await listNames(directory);
  const versions = names.flatMap((name) => /^(\d+)\.root\.json$/.exec(name)?.[1] ?? []);
  return versions.map(Number).sort((a, b) => a - b);
}

export function rootFileName(version: number): string {
  return `${version}.root.json`;
}

function parse(bytes: Uint8Array): Parameters<typeof Metadata.fromJSON>[1] {
  return JSON.parse(new TextDecoder().decode(bytes)) as Parameters<typeof Metadata.fromJSON>[1];
}
