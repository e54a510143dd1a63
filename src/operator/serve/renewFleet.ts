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

/**
 * Everything of which less than half of its time is left. One gateway at a time, so that a deployment never waits long.
 * Rejects with the first failure, once all others are renewed: neither the image repository nor a gateway's files may let
 * another's expire.
 */
export async function renewFleet(workspace: Workspace, publisher: Publisher): Promise<Renewed> {
  const renewImage = async (): Promise<boolean> => {
    const renewed = await renewImageWhenStale(workspace);
    if (renewed) await publishImage(workspace, publisher);
    return renewed;
  };
  const renewOne = async (gateway: string): Promise<boolean> => {
    const renewed = await withWorkspaceLock(workspace, () => renewWhenStale(workspace, gateway));
    if (renewed) await publishDirector(workspace, gateway, publisher);
    return renewed;
  };
  const [image] = await Promise.allSettled([renewImage()]);
  const outcomes: PromiseSettledResult<boolean>[] = [];
  for (const gateway of await listGateways(workspace))
    outcomes.push(...(await Promise.allSettled([renewOne(gateway)])));
  const failed = [image, ...outcomes].find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  const isRenewed = (outcome: PromiseSettledResult<boolean>): boolean =>
    outcome.status === "fulfilled" && outcome.value;
  return { image: isRenewed(image), directors: outcomes.filter(isRenewed).length };
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
