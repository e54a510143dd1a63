// The operator's connection to the broker: opened for one task, with clear words when the broker is not there.
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { silentLog } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { describeOffline } from "../link/describeOffline.ts";
import { LinkError, type Link } from "../link/link.ts";
import { openLink } from "../link/openLink.ts";
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
  /** Ends the wait for the broker with OperatorError "interrupted". */
  readonly signal?: AbortSignal;
}

/**
 * Resolves when the broker answered. The first failure is final, since somebody waits: OperatorError "broker-refused"
 * when it does not let us in, "broker-unreachable" (retryable) when it is not there, or silent for
 * `limits.link.connectTimeoutMs`.
 */
export async function openSession(settings: WorkspaceSettings, options: SessionOptions): Promise<Session> {
  const { clock, random, username, password, signal } = options;
  const { broker } = settings;
  const connected = Promise.withResolvers<OperatorError | undefined>();
  const link = openLink({
    url: broker,
    clientId: `outstation-operator-${random.uuid().slice(0, 8)}`,
    protocol: "auto",
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    onFailure: (reason) => connected.resolve(describeConnectFailure(broker, reason)),
    clock,
    random,
    log: silentLog,
  });
  const cancel = clock.after(limits.link.connectTimeoutMs, () => connected.resolve(silent(broker)));
  const stop = link.onOnline(() => connected.resolve(undefined));
  const onAbort = (): void => connected.resolve(new OperatorError("interrupted", "Interrupted.", { retryable: true }));
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  const failure = await connected.promise;
  cancel();
  stop();
  signal?.removeEventListener("abort", onAbort);
  if (failure === undefined)
    return { link, topics: createTopics(settings.root), [Symbol.asyncDispose]: () => link.close() };
  await link.close();
  throw failure;
}

function describeConnectFailure(broker: string, reason: unknown): OperatorError {
  if (reason instanceof LinkError && reason.code === "refused")
    return new OperatorError(
      "broker-refused",
      `${reason.message} They come from OUTSTATION_USERNAME and OUTSTATION_PASSWORD.`,
      { cause: reason },
    );
  const message = describeOffline(broker, reason);
  return new OperatorError("broker-unreachable", message, { cause: reason, retryable: true });
}

function silent(broker: string): OperatorError {
  const seconds = limits.link.connectTimeoutMs / 1000;
  const message = `The broker ${broker} said nothing within ${seconds} s. Is it an MQTT broker, and reached from here?`;
  return new OperatorError("broker-unreachable", message, { retryable: true });
}
