// Publishes what the outbox holds for as long as the agent runs: whenever the link is online, from where it stopped.
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { LinkError, type Link } from "../link/link.ts";
import type { GatewayTopics } from "../protocol/topics.ts";
import type { Telemetry } from "../telemetry/readings.ts";
import { nextOnline } from "./reachBroker.ts";

export interface DrainOptions {
  readonly telemetry: Pick<Telemetry, "drain">;
  readonly link: Pick<Link, "online" | "onOnline" | "publish">;
  readonly topics: GatewayTopics;
  readonly clock: Clock;
}

/** Resolves when the signal is aborted. Rejects only when the outbox itself fails. */
export async function drainWhenOnline(options: DrainOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await drainOnce(options, signal);
    } catch (error) {
      if (!signal.aborted && !(error instanceof LinkError)) throw error;
    }
  }
}

/** One connection's worth; after a failure it waits, so that a broker that refuses is not asked at the network's speed. */
async function drainOnce({ telemetry, link, topics, clock }: DrainOptions, signal: AbortSignal): Promise<void> {
  if (!link.online) await nextOnline(link, signal);
  try {
    await telemetry.drain(
      (component, stream, document) =>
        link.publish({ topic: topics.telemetry(component, stream), payload: JSON.stringify(document) }, signal),
      signal,
    );
  } catch (error) {
    if (link.online) await clock.sleep(limits.link.republishMs, signal);
    throw error;
  }
}
