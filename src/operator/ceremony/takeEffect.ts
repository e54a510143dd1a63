// What follows a new root: everything the online keys must sign again, and all of it on the broker.
import { publishDirector, publishImage } from "../publish.ts";
import type { Publisher } from "../publisher.ts";
import { renewImage } from "../repository/addRelease.ts";
import { listGateways, renewDirector, renewOperators } from "../repository/director.ts";
import type { Workspace } from "../workspace.ts";
import { withWorkspaceLock } from "../workspaceLock.ts";
import { renewTargets } from "./changeTargets.ts";

/**
 * Signs what ages and what the newest roots no longer vouch for. Resolves to the file that waits for targets keys which
 * are not here; until it is merged, no gateway takes the image repository.
 */
export async function renewAll(workspace: Workspace): Promise<string | undefined> {
  const targets = await withWorkspaceLock(workspace, () => renewImage(workspace));
  for (const gateway of await listGateways(workspace))
    await withWorkspaceLock(workspace, () => renewDirector(workspace, gateway));
  if (targets !== "lapsed") return undefined;
  const outcome = await renewTargets(workspace, "targets");
  return outcome.kind === "pending" ? outcome.path : undefined;
}

/** The list of operators as it is now, for every gateway. */
export async function renewAllOperators(workspace: Workspace): Promise<void> {
  for (const gateway of await listGateways(workspace))
    await withWorkspaceLock(workspace, () => renewOperators(workspace, gateway));
}

/** Both repositories, as they are. */
export async function publishAll(workspace: Workspace, publisher: Publisher): Promise<void> {
  await publishImage(workspace, publisher);
  for (const gateway of await listGateways(workspace)) await publishDirector(workspace, gateway, publisher);
}
