// Which blobs somebody may still want: those of what is deployed anywhere, and of the newest releases of each component.
import { limits } from "../base/limits.ts";
import { releasePath } from "../protocol/release.ts";
import { listReleases, type ListedRelease } from "./repository/addRelease.ts";
import { directorDirectory } from "./repository/places.ts";
import { loadRepository } from "./repository/repository.ts";
import type { Workspace } from "./workspace.ts";

/** Hashes of a release's blobs: the whole, then its deltas. */
export function listBlobs({ release }: ListedRelease): readonly string[] {
  return [release.full, ...Object.values(release.deltas)].map(({ sha256 }) => sha256);
}

/** Blobs of what is deployed to these gateways. */
export async function listLiveBlobs(workspace: Workspace, gateways: readonly string[]): Promise<ReadonlySet<string>> {
  const deployed = new Set<string>();
  for (const gateway of gateways) {
    const { targets } = await loadRepository(directorDirectory(workspace, gateway));
    for (const { path } of targets) deployed.add(path);
  }
  const releases = await listReleases(workspace);
  const live = releases.filter(({ release }) => deployed.has(releasePath(release.component, release.version)));
  return new Set(live.flatMap(listBlobs));
}

/** Blobs of the last releases of every component, which the next deployment will most likely name. */
export async function listNewestBlobs(workspace: Workspace): Promise<ReadonlySet<string>> {
  const seen = new Map<string, number>();
  const newest = (await listReleases(workspace)).filter(({ release }) => {
    const count = (seen.get(release.component) ?? 0) + 1;
    seen.set(release.component, count);
    return count <= limits.published.releases;
  });
  return new Set(newest.flatMap(listBlobs));
}
