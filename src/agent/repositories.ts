// Asks both repositories what should run here: where their files come from, and where what was verified is kept.
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Disk } from "../base/disk.ts";
import type { Log } from "../base/log.ts";
import type { Ask } from "../link/ask.ts";
import type { Link } from "../link/link.ts";
import type { Topics } from "../protocol/topics.ts";
import { refreshTrust } from "../trust/refresh.ts";
import type { GatewayConfig } from "./config.ts";
import { createGetFallback } from "./getFallback.ts";
import { createRetainedFetch } from "./retainedFetch.ts";

export interface RefreshOptions {
  readonly config: GatewayConfig;
  readonly stateDirectory: string;
  readonly link: Link;
  readonly topics: Topics;
  readonly ask: Ask;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborted when the agent stops. */
  readonly signal: AbortSignal;
}

/** Each call verifies afresh; see `refreshTrust`. Rejects when the broker is not reached. */
export function createRefresh(options: RefreshOptions): () => ReturnType<typeof refreshTrust> {
  const { config, stateDirectory, link, topics, ask, disk, clock, log, signal } = options;
  const { imageRoot, directorRoot } = config.factory;
  const own = topics.gateway(config.gateway);
  const encoder = new TextEncoder();
  const fetchRetained = createRetainedFetch({ fetchTopic: link.fetch, clock, signal });
  const getFrom = createGetFallback(ask);
  return () =>
    refreshTrust({
      disk,
      directory: join(stateDirectory, "trust"),
      factory: { imageRoot: encoder.encode(imageRoot), directorRoot: encoder.encode(directorRoot) },
      gateway: config.gateway,
      fetchDirector: fetchRetained({ topicOf: (file) => own.director(file), fallback: getFrom("director") }),
      fetchImage: fetchRetained({ topicOf: (file) => topics.image(file), fallback: getFrom("image") }),
      nowMs: clock.nowMs(),
      log,
    });
}
