// Asks both repositories what should run here, and the director what time it is: one at a time, since both are remembered.
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Disk } from "../base/disk.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { Ask } from "../link/ask.ts";
import type { Link } from "../link/link.ts";
import type { DeploymentText } from "../protocol/deployment.ts";
import { isRefusal } from "../protocol/refusal.ts";
import type { Topics } from "../protocol/topics.ts";
import { attestTime } from "../trust/attestTime.ts";
import { refreshTrust } from "../trust/refresh.ts";
import type { GatewayConfig } from "./config.ts";
import { createGetFallback } from "./getFallback.ts";
import { createHeardTimestamp, type HeardTimestamp } from "./heardTimestamp.ts";
import { createRetainedFetch } from "./retainedFetch.ts";
import { createTrustedClock, type TrustedClock } from "./trustedClock.ts";

export interface RepositoriesOptions {
  readonly config: GatewayConfig;
  readonly stateDirectory: string;
  readonly link: Link;
  readonly topics: Topics;
  readonly ask: Ask;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The committed deployment, if any. */
  readonly installed: () => DeploymentText | undefined;
  /** Aborted when the agent stops. */
  readonly signal: AbortSignal;
}

export interface Repositories {
  /** Each call verifies afresh; see `refreshTrust`. Rejects when the broker is not reached. */
  readonly refresh: () => ReturnType<typeof refreshTrust>;
  readonly heard: HeardTimestamp;
  readonly clock: TrustedClock;
}

export function createRepositories(options: RepositoriesOptions): Repositories {
  const { config, stateDirectory, disk, clock, log } = options;
  const directory = join(stateDirectory, "trust");
  const alone = createTurns();
  const heard = createHeardTimestamp(clock);
  const attest = async (): Promise<number | undefined> => {
    const nonce = options.random.uuid();
    const answer = await askForTime(options, nonce);
    if (answer === undefined) return undefined;
    const factoryRoot = new TextEncoder().encode(config.factory.directorRoot);
    const director = { disk, log, factoryRoot, directory: join(directory, "director") };
    const question = { gateway: config.gateway, nonce };
    const outcome = await alone(() => attestTime({ disk, directory, director }, question, answer));
    if (!isRefusal(outcome)) return outcome;
    log.warn({ rule: outcome.rule, seen: outcome.seen }, "an answer about the time was refused");
    return undefined;
  };
  const trustedClock = createTrustedClock({ clock, attest, log });
  const refresh = createRefresh(options, { directory, heard, clock: trustedClock });
  return {
    heard,
    clock: trustedClock,
    refresh: async () => {
      // With a clock that cannot be right, what has expired would look fresh.
      if (trustedClock.isLost) await trustedClock.ask();
      return alone(refresh);
    },
  };
}

function createRefresh(
  { config, link, topics, ask, disk, log, installed, clock: waits, signal }: RepositoriesOptions,
  {
    directory,
    heard,
    clock,
  }: { readonly directory: string; readonly heard: HeardTimestamp; readonly clock: TrustedClock },
): () => ReturnType<typeof refreshTrust> {
  const { imageRoot, directorRoot } = config.factory;
  const own = topics.gateway(config.gateway);
  const encoder = new TextEncoder();
  const fetchRetained = createRetainedFetch({ fetchTopic: link.fetch, clock: waits, signal });
  const getFrom = createGetFallback(ask);
  return () =>
    refreshTrust({
      disk,
      directory,
      factory: { imageRoot: encoder.encode(imageRoot), directorRoot: encoder.encode(directorRoot) },
      gateway: config.gateway,
      fetchDirector: heard.before(
        fetchRetained({ topicOf: (file) => own.director(file), fallback: getFrom("director") }),
      ),
      fetchImage: fetchRetained({ topicOf: (file) => topics.image(file), fallback: getFrom("image") }),
      nowMs: clock.nowMs(),
      installed: installed(),
      log,
    });
}

/** Undefined when nobody answers: a fleet without a server is a fleet all the same. */
async function askForTime({ ask, signal, log }: RepositoriesOptions, nonce: string): Promise<Uint8Array | undefined> {
  let answer: Uint8Array | undefined;
  try {
    await ask(
      { want: "time", nonce },
      {
        parts: new Set([0]),
        isWanted: (_part, payload) => payload.length <= limits.get.requestBytes,
        take: (_part, payload) => {
          answer = payload;
        },
        signal,
      },
    );
  } catch (error) {
    if (!signal.aborted) log.debug({ error }, "the time could not be asked for");
  }
  return answer;
}

function createTurns(): <T>(task: () => Promise<T>) => Promise<T> {
  let earlier: Promise<unknown> = Promise.resolve();
  return (task) => {
    const done = earlier.then(task);
    earlier = done.catch(() => undefined);
    return done;
  };
}
