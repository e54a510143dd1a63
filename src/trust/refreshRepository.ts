// One repository brought up to date: verified in a scratch copy, held against the floors, then made durable.
import { refuse, isRefusal } from "../protocol/refusal.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { FetchFile } from "./fetchFile.ts";
import { floorOf, raiseFloor } from "./floors.ts";
import type { Floors } from "./floors.ts";
import { loadMetadata, loadRoot, promoteMetadata, promoteRoot } from "./metadataCache.ts";
import type { CacheLocation } from "./metadataCache.ts";
import { openScratch } from "./scratch.ts";
import { authorityOf, roles } from "./tuf/metadata.ts";
import type { Authority, VerifiedMetadata } from "./tuf/metadata.ts";
import { runUpdater } from "./tuf/updater.ts";

export type RepositoryName = "director" | "image";

export interface RepositoryRefresh {
  readonly name: RepositoryName;
  readonly location: CacheLocation;
  readonly fetchFile: FetchFile;
  readonly floors: Floors;
  /** Makes raised floors durable; awaited before the metadata that raised them is kept. */
  readonly keepFloors: (floors: Floors) => Promise<void>;
  readonly nowMs: number;
  /** Targets to look for among those of publishers. */
  readonly paths: readonly string[];
  /**
   * Whether verified metadata is meant for this gateway at all. Asked before anything is remembered: another
   * gateway's metadata, however well signed, must not raise our floors.
   */
  readonly refuseMetadata: (metadata: VerifiedMetadata) => Refusal | undefined;
}

/** Resolves to verified metadata and the floors it raised, or to why not. A newer root is kept in either case. */
export async function refreshRepository(
  refresh: RepositoryRefresh,
): Promise<{ readonly metadata: VerifiedMetadata; readonly floors: Floors } | Refusal | "never-published"> {
  const { name, location } = refresh;
  const before = await loadRoot(location);
  await using scratch = await openScratch(await loadMetadata(location, before));
  let metadata: VerifiedMetadata | Refusal | "no-timestamp";
  try {
    const { fetchFile, nowMs, paths } = refresh;
    metadata = await runUpdater({ directory: scratch.directory, fetchFile, nowMs, paths });
  } finally {
    await promoteRoot(location, before, scratch.read);
  }
  if (metadata === "no-timestamp") return explainMissing(refresh);
  if (isRefusal(metadata)) return metadata;
  const refused = refresh.refuseMetadata(metadata) ?? checkVersions(refresh, metadata);
  if (refused !== undefined) return refused;
  const floors = raiseVersions(refresh, metadata);
  await refresh.keepFloors(floors);
  await promoteMetadata(location, scratch.read, [...metadata.publishers.keys()]);
  location.log.debug({ repository: name, ...metadata.versions }, "the repository is verified");
  return { metadata, floors };
}

/** The time below which this repository's signer has said it cannot be. */
export function attestedFloor(name: RepositoryName): string {
  return `${name}/attested`;
}

const rollbackFix = "Publish the newest metadata again; a broker or mirror may be serving old files.";

/** TUF 5.3.5, 5.4.3, 5.5.5, 5.6.4, held against our own memory: it outlives the cache, and a kept root that was lost. */
function checkVersions({ name, floors }: RepositoryRefresh, metadata: VerifiedMetadata): Refusal | undefined {
  for (const { role, version, authority } of listVersions(metadata)) {
    const floor = floorOf(floors, `${name}/${role}`, authority);
    if (version < floor)
      return refuse("trust.rollback", `${name} ${role} ${version} is older than ${floor}, seen before.`, rollbackFix);
  }
  return undefined;
}

/** Every role whose metadata was verified, publishers included, with the keys that vouch for it. */
function listVersions({
  root,
  versions,
  publishers,
}: VerifiedMetadata): readonly { role: string; version: number; authority: Authority }[] {
  const own = roles.map((role) => ({ role, version: versions[role], authority: authorityOf(root, role) }));
  return [...own, ...[...publishers].map(([name, publisher]) => ({ role: `publisher/${name}`, ...publisher }))];
}

function raiseVersions({ name, floors }: RepositoryRefresh, metadata: VerifiedMetadata): Floors {
  const raised = listVersions(metadata).reduce(
    (floors, { role, version, authority }) => raiseFloor(floors, `${name}/${role}`, { authority, value: version }),
    floors,
  );
  const { root, signedAtMs } = metadata;
  const authority = authorityOf(root, "timestamp");
  return signedAtMs === undefined ? raised : raiseFloor(raised, attestedFloor(name), { authority, value: signedAtMs });
}

/** Nothing published yet is no fault; something that was there and is gone is withheld. */
function explainMissing({ name, floors }: RepositoryRefresh): Refusal | "never-published" {
  if (!floors.has(`${name}/timestamp`)) return "never-published";
  return refuse("trust.missing", `The ${name} timestamp, there before, is gone.`, "Publish the repository again.");
}
