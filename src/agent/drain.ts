// Publishes what the outbox holds for as long as the agent runs: whenever the link is online, from where it stopped.
import { LinkError, type Link } from "../link/link.ts";
import type { GatewayTopics } from "../protocol/topics.ts";
import type { Telemetry } from "../telemetry/readings.ts";
import { nextOnline } from "./reachBroker.ts";

/** Resolves when the signal is aborted. Rejects only when the outbox itself fails. */
export async function drainWhenOnline(
  telemetry: Telemetry,
  link: Link,
  topics: GatewayTopics,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      if (!link.online) await nextOnline(link, signal);
      await telemetry.drain(
        (component, stream, document) =>
          link.publish({ topic: topics.telemetry(component, stream), payload: JSON.stringify(document) }, signal),
        signal,
      );
    } catch (error) {
      if (!signal.aborted && !(error instanceof LinkError)) throw error;
    }
  }
}
