// The operator's connection to the broker: opened for one task, with clear words when the broker is not there.
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { silentLog } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { openLink } from "../link/openLink.ts";
import type { Link } from "../link/link.ts";
import { createTopics, type Topics } from "../protocol/topics.ts";
import { OperatorError } from "./error.ts";
import type { WorkspaceSettings } from "./workspace.ts";

export interface Session extends AsyncDisposable {
  readonly link: Link;
  readonly topics: Topics;
}

export interface SessionOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly username?: string;
  readonly password?: string;
}

/** Resolves when the broker answered. OperatorError "broker-unreachable" (retryable) when it did not in time. */
export async function openSession(settings: WorkspaceSettings, options: SessionOptions): Promise<Session> {
  const { clock, random, username, password } = options;
  const link = openLink({
    url: settings.broker,
    clientId: `outstation-operator-${random.uuid().slice(0, 8)}`,
    protocol: "auto",
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    clock,
    random,
    log: silentLog,
  });
  if (!(await becomesOnline(link, clock))) {
    await link.close();
    const seconds = limits.link.connectTimeoutMs / 1000;
    const message = `The broker ${settings.broker} did not answer within ${seconds} s. Is it running, and reached from here?`;
    throw new OperatorError("broker-unreachable", message, { retryable: true });
  }
  return { link, topics: createTopics(settings.root), [Symbol.asyncDispose]: () => link.close() };
}

function becomesOnline(link: Link, clock: Clock): Promise<boolean> {
  if (link.online) return Promise.resolve(true);
  return new Promise((resolve) => {
    const cancel = clock.after(limits.link.connectTimeoutMs, () => resolve(false));
    const stop = link.onOnline(() => {
      cancel();
      stop();
      resolve(true);
    });
  });
}
