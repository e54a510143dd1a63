// Signs again what would soon expire, for every gateway of the fleet, and publishes it.
import { withWorkspaceLock } from "../workspaceLock.ts";
import { publishDirector, publishImage } from "../publish.ts";
import type { Publisher } from "../publisher.ts";
import { renewImageWhenStale } from "../repository/addRelease.ts";
import { listGateways, renewDirector } from "../repository/director.ts";
import { directorDirectory } from "../repository/places.ts";
import { loadRepository } from "../repository/repository.ts";
import type { Workspace } from "../workspace.ts";

export interface Renewed {
  readonly image: boolean;
  readonly directors: number;
}

/** Everything of which less than half of its time is left. One gateway at a time, so that a deployment never waits long. */
export async function renewFleet(workspace: Workspace, publisher: Publisher): Promise<Renewed> {
  const image = await withWorkspaceLock(workspace, () => renewImageWhenStale(workspace));
  if (image) await publishImage(workspace, publisher);
  let directors = 0;
  for (const gateway of await listGateways(workspace)) {
    const renewed = await withWorkspaceLock(workspace, () => renewWhenStale(workspace, gateway));
    if (!renewed) continue;
    await publishDirector(workspace, gateway, publisher);
    directors += 1;
  }
  return { image, directors };
}

async function renewWhenStale(workspace: Workspace, gateway: string): Promise<boolean> {
  const { expiries } = await loadRepository(directorDirectory(workspace, gateway));
  const { timestampMs, snapshotMs, targetsMs } = workspace.expiries;
  const nowMs = workspace.clock.nowMs();
  const isFresh =
    expiries.timestamp - nowMs > timestampMs / 2 &&
    expiries.snapshot - nowMs > snapshotMs / 2 &&
    expiries.targets - nowMs > targetsMs / 4;
  if (isFresh) return false;
  await renewDirector(workspace, gateway);
  return true;
}
