// The fleet's server: answers gateways, keeps metadata fresh, refills a wiped broker, and clears what nobody runs any more.
import { describeError } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import { describeAgeing } from "../ceremony/ageing.ts";
import { clearBlobs, loadPublishedBlobs } from "../publishBlobs.ts";
import { listLiveBlobs, listNewestBlobs } from "../liveBlobs.ts";
import { listGateways } from "../repository/director.ts";
import { directorDirectory, imageDirectory } from "../repository/places.ts";
import { directorSigners, onlineSigners } from "../repository/signers.ts";
import type { Session } from "../session.ts";
import type { Workspace } from "../workspace.ts";
import { withWorkspaceLock } from "../workspaceLock.ts";
import { answerGets } from "./answerGets.ts";
import { refillBroker, type Republished } from "./checkBroker.ts";
import { clearSuperseded } from "./clearSuperseded.ts";
import { renewFleet, type Renewed } from "./renewFleet.ts";

export interface ServeOptions {
  readonly workspace: Workspace;
  readonly session: Session;
  readonly log: Log;
}

/** What one look at the fleet came to. */
export interface Pass {
  readonly renewed: Renewed;
  readonly republished: Republished;
  readonly cleared: { readonly blobs: number; readonly files: number };
  /** What only people can renew, and soon must: a line each. */
  readonly ageing: readonly string[];
}

/**
 * Opens every key that a look may need. OperatorError "key-missing" or "key-locked" now, and not days later, when
 * something has to be signed again.
 */
export async function checkOnlineKeys(workspace: Workspace): Promise<void> {
  await onlineSigners(workspace, "image");
  await directorSigners(workspace);
}

/**
 * Renews, refills and clears once. Rejects when the broker is not reached, or with what could not be renewed, once the
 * rest is done; nothing is lost, call it again.
 */
export async function runPass({ workspace, session }: ServeOptions): Promise<Pass> {
  const [renewal] = await Promise.allSettled([renewFleet(workspace, session.link)]);
  const republished = await refillBroker(workspace, session);
  const cleared = await withWorkspaceLock(workspace, async () => ({
    blobs: await clearUnwanted(workspace, session),
    files: await clearOldRounds(workspace, session),
  }));
  if (renewal.status === "rejected") throw renewal.reason;
  return { renewed: renewal.value, republished, cleared, ageing: await describeAgeing(workspace) };
}

/**
 * Serves until the signal is aborted: answers at once, and looks at the fleet at every connect and then every
 * `limits.serve.passMs`. A look that fails is told, and taken up at the next.
 */
export async function serveFleet(
  options: ServeOptions,
  signal: AbortSignal,
  onPass: (pass: Pass) => void,
): Promise<void> {
  const { workspace, session, log } = options;
  const stopAnswering = await answerGets(options);
  let wake = (): void => {};
  const stopListening = session.link.onOnline(() => wake());
  signal.addEventListener("abort", () => wake(), { once: true });
  while (!signal.aborted) {
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    try {
      onPass(await runPass(options));
    } catch (error) {
      log.warn({ reason: describeError(error) }, "a look at the fleet failed; it is taken up again");
    }
    const cancel = workspace.clock.after(limits.serve.passMs, () => wake());
    if (!signal.aborted) await woken;
    cancel();
  }
  stopListening();
  await stopAnswering();
}

async function clearUnwanted(workspace: Workspace, { link }: Session): Promise<number> {
  const wanted = new Set([
    ...(await listLiveBlobs(workspace, await listGateways(workspace))),
    ...(await listNewestBlobs(workspace)),
  ]);
  const unwanted = [...(await loadPublishedBlobs(workspace))].filter((sha256) => !wanted.has(sha256));
  if (unwanted.length > 0) await clearBlobs(workspace, unwanted, link);
  return unwanted.length;
}

async function clearOldRounds(workspace: Workspace, { link, topics }: Session): Promise<number> {
  const { imageRounds, directorRounds } = limits.published;
  const image = { directory: imageDirectory(workspace), rounds: imageRounds, topicOf: topics.image };
  let files = await clearSuperseded(image, link);
  for (const gateway of await listGateways(workspace)) {
    const directory = directorDirectory(workspace, gateway);
    const topicOf = topics.gateway(gateway).director;
    files += await clearSuperseded({ directory, rounds: directorRounds, topicOf }, link);
  }
  return files;
}
