// One TUF repository in a directory: what it says now, role by role.
import { join } from "node:path";
import { Metadata, MetadataKind } from "@tufjs/models";
import type { MetaFile, Snapshot, TargetFile, Targets, Timestamp } from "@tufjs/models";
import type { Delegations } from "@tufjs/models/dist/delegations.js";
import { OperatorError } from "../error.ts";
import { listNames, readBytes, readBytesIfPresent, writeFileAtomic } from "../files.ts";

export const timestampFile = "timestamp.json";
export const targetsFile = "targets.json";

/** Targets metadata, of the top level or of a publisher, as its file has it. */
export interface TargetsState {
  readonly version: number;
  readonly expiresMs: number;
  readonly targets: readonly TargetFile[];
  readonly metadata: Metadata<Targets>;
}

/** What the newest timestamp leads to; all zero and empty before the first round. */
export interface RepositoryState {
  readonly versions: { readonly timestamp: number; readonly snapshot: number; readonly targets: number };
  /** Of the top-level targets alone. */
  readonly targets: readonly TargetFile[];
  readonly delegations: Delegations | undefined;
  /** Publishers that are delegated to and have signed something. */
  readonly publishers: ReadonlyMap<string, TargetsState>;
  /** What the snapshot lists, by file name without its version. */
  readonly listed: Readonly<Record<string, MetaFile>>;
  /** When each of them expires, in milliseconds since 1970. */
  readonly expiries: { readonly timestamp: number; readonly snapshot: number; readonly targets: number };
  /** The earliest of these. */
  readonly expiresMs: number;
  /** With the signatures; undefined before the first round. */
  readonly metadata?: {
    readonly timestamp: Metadata<Timestamp>;
    readonly snapshot: Metadata<Snapshot>;
    readonly targets: Metadata<Targets>;
  };
}

const nothing: RepositoryState = {
  versions: { timestamp: 0, snapshot: 0, targets: 0 },
  targets: [],
  delegations: undefined,
  publishers: new Map(),
  listed: {},
  expiries: { timestamp: 0, snapshot: 0, targets: 0 },
  expiresMs: 0,
};

export async function loadRepository(directory: string): Promise<RepositoryState> {
  const timestampBytes = await readBytesIfPresent(join(directory, timestampFile));
  if (timestampBytes === undefined) return nothing;
  const timestamp = Metadata.fromJSON(MetadataKind.Timestamp, parseJson(timestampBytes));
  const snapshotVersion = timestamp.signed.snapshotMeta.version;
  const snapshotBytes = await readBytes(join(directory, `${snapshotVersion}.snapshot.json`), "snapshot metadata");
  const snapshot = Metadata.fromJSON(MetadataKind.Snapshot, parseJson(snapshotBytes));
  const listed = snapshot.signed.meta;
  const targets = await loadTargets(directory, "targets", listed["targets.json"]?.version ?? 0);
  const { delegations } = targets.metadata.signed;
  const publishers = new Map<string, TargetsState>();
  for (const name of Object.keys(delegations?.roles ?? {})) {
    const version = listed[`${name}.json`]?.version;
    // One that was taken away and added again goes on counting where it was (TUF 5.5.5).
    if (version !== undefined) publishers.set(name, await loadTargets(directory, name, version));
  }
  const expiries = {
    timestamp: Date.parse(timestamp.signed.expires),
    snapshot: Date.parse(snapshot.signed.expires),
    targets: targets.expiresMs,
  };
  return {
    versions: { timestamp: timestamp.signed.version, snapshot: snapshotVersion, targets: targets.version },
    targets: targets.targets,
    delegations,
    publishers,
    listed,
    expiries,
    expiresMs: Math.min(...Object.values(expiries)),
    metadata: { timestamp, snapshot, targets: targets.metadata },
  };
}

async function loadTargets(directory: string, role: string, version: number): Promise<TargetsState> {
  const file = `${version}.${role}.json`;
  const metadata = parseTargets(await readBytes(join(directory, file), "targets metadata"), file);
  const { expires, targets } = metadata.signed;
  return { version, expiresMs: Date.parse(expires), targets: Object.values(targets), metadata };
}

/** Throws OperatorError "proposal-invalid" for anything but whole targets metadata. */
export function parseTargets(bytes: Uint8Array, source: string): Metadata<Targets> {
  return orInvalid(source, "targets metadata", () => Metadata.fromJSON(MetadataKind.Targets, parseJson(bytes)));
}

/** Whatever a file of somebody else's has in it, it is named in words. */
export function orInvalid<T>(source: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const message = `${source} is no ${what}: ${(cause as Error).message}. Fetch it again from where it was made.`;
    throw new OperatorError("proposal-invalid", message, { cause });
  }
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

export function parseJson(bytes: Uint8Array): Parameters<typeof Metadata.fromJSON>[1] {
  return JSON.parse(new TextDecoder().decode(bytes)) as Parameters<typeof Metadata.fromJSON>[1];
}
