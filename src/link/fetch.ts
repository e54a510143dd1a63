// One retained document by its exact topic: subscribe, take it, unsubscribe, whatever happens in between.
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { closedError, type Link, LinkError, offlineError } from "./link.ts";
import type { Subscriptions } from "./subscriptions.ts";

export interface Fetches {
  readonly fetch: Link["fetch"];
  connected(): void;
  /** Rejects every fetch under way, and later ones until `connected`, with `offline`. */
  disconnected(): void;
  /** The same with `closed`, for good. */
  close(): void;
}

export function createFetches(subscriptions: Subscriptions, clock: Clock): Fetches {
  const underWay = new Set<(reason: LinkError) => void>();
  let refusal: (() => LinkError) | undefined = offlineError;
  const rejectAll = (why: () => LinkError): void => {
    refusal = why;
    for (const reject of underWay) reject(why());
  };

  const fetchRetained: Link["fetch"] = async (topic, options) => {
    if (refusal !== undefined) throw refusal();
    options.signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const { timeoutMs = limits.link.fetchTimeoutMs } = options;
    const cancelTimeout =
      timeoutMs === null ? undefined : clock.after(timeoutMs, () => reject(timeoutError(topic, timeoutMs)));
    const abort = (): void => reject(options.signal?.reason);
    const waiter = (payload: Uint8Array): void => {
      if (payload.length > options.maxBytes) reject(tooLargeError(topic, payload.length, options.maxBytes));
      else resolve(payload);
    };
    options.signal?.addEventListener("abort", abort, { once: true });
    underWay.add(reject);
    try {
      subscriptions.addWaiter(topic, waiter).catch(reject);
      return await promise;
    } finally {
      cancelTimeout?.();
      options.signal?.removeEventListener("abort", abort);
      underWay.delete(reject);
      subscriptions.removeWaiter(topic, waiter);
    }
  };
  return {
    fetch: fetchRetained,
    connected: () => {
      refusal = undefined;
    },
    disconnected: () => rejectAll(refusal === closedError ? closedError : offlineError),
    close: () => rejectAll(closedError),
  };
}

function timeoutError(topic: string, timeoutMs: number): LinkError {
  const message = `Nothing retained came at ${topic} within ${timeoutMs} ms; publish it, or check the broker's ACL.`;
  return new LinkError("timeout", message, { retryable: true });
}

function tooLargeError(topic: string, bytes: number, maxBytes: number): LinkError {
  return new LinkError("too-large", `${topic} holds ${bytes} bytes; at most ${maxBytes} are accepted there.`);
}
