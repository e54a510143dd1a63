// Delivers what a deployment needs: every target of it in turn, over the link, through the downloads, into the store.
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Ask } from "../link/ask.ts";
import { fetchChunks } from "../link/fetchChunks.ts";
import type { Link } from "../link/link.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { VerifiedTarget } from "../protocol/release.ts";
import type { Topics } from "../protocol/topics.ts";
import { deliver } from "./deliver.ts";
import { fetchBlob } from "./fetchBlob.ts";
import { createRebuild } from "./rebuild.ts";
import type { Stores } from "./stores.ts";

export interface DeliveryOptions {
  readonly link: Link;
  readonly topics: Topics;
  readonly ask: Ask;
  readonly stores: Pick<Stores, "store" | "downloads">;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborted when the agent stops. */
  readonly signal: AbortSignal;
}

/** Undefined when every target is in the store. Rejects when the broker cannot be reached: try again later. */
export type Delivery = (targets: readonly VerifiedTarget[]) => Promise<Refusal | undefined>;

export function createDelivery(options: DeliveryOptions): Delivery {
  const { link, topics, ask, stores, clock, log, signal } = options;
  const { store, downloads } = stores;
  const rebuild = createRebuild(clock);
  const source = { link, topics, clock, ask };
  return async (targets) => {
    for (const target of targets) {
      const refusal = await deliver(target, {
        store,
        rebuild,
        log,
        fetchBlob: (reference) =>
          fetchBlob(reference, {
            downloads,
            fetchChunks: (blob, download) => fetchChunks(source, blob, download, signal),
          }),
      });
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  };
}
