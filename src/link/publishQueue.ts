// Publishes that wait for the window: bounded, in order, and all rejected when the connection drops.
import { limits } from "../base/limits.ts";
import { closedError, LinkError, type Message, offlineError } from "./link.ts";

/** The part of a connection that a queue needs. */
export interface Publisher {
  readonly publishWindow: number;
  publish(message: Message): Promise<void>;
}

export interface PublishQueue {
  publish(message: Message, signal?: AbortSignal): Promise<void>;
  /** Sends over this connection from now on; undefined rejects what waits with `offline`. */
  use(publisher: Publisher | undefined): void;
  /** Rejects what waits and everything later with `closed`. */
  close(): void;
}

interface Waiting {
  readonly message: Message;
  readonly signal: AbortSignal | undefined;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

export function createPublishQueue(): PublishQueue {
  let publisher: Publisher | undefined;
  let closed = false;
  let waiting: Waiting[] = [];
  let underWay = 0;

  const pump = (): void => {
    if (publisher === undefined || underWay >= publisher.publishWindow) return;
    const next = waiting.shift();
    if (next === undefined) return;
    if (!next.signal?.aborted) send(publisher, next);
    pump();
  };
  const send = (by: Publisher, { message, resolve, reject }: Waiting): void => {
    underWay += 1;
    void by
      .publish(message)
      .then(resolve, reject)
      .finally(() => {
        if (by !== publisher) return;
        underWay -= 1;
        pump();
      });
  };
  const rejectWaiting = (reason: LinkError): void => {
    const rejected = waiting;
    waiting = [];
    for (const { reject } of rejected) reject(reason);
  };
  return {
    publish: (message, signal) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(closedError());
        if (publisher === undefined) return reject(offlineError());
        if (signal?.aborted) return reject(signal.reason);
        if (waiting.length >= limits.link.publishQueue) return reject(queueFullError());
        waiting.push({ message, signal, ...untilAborted(signal, resolve, reject) });
        pump();
      }),
    use: (next) => {
      publisher = next;
      underWay = 0;
      if (next === undefined) rejectWaiting(offlineError());
    },
    close: () => {
      closed = true;
      publisher = undefined;
      rejectWaiting(closedError());
    },
  };
}

function queueFullError(): LinkError {
  const message = `${limits.link.publishQueue} publishes already wait for the broker; wait for some to finish.`;
  return new LinkError("queue-full", message, { retryable: true });
}

/** Settles at once when the signal is aborted, and lets go of the signal when it settled otherwise. */
function untilAborted(
  signal: AbortSignal | undefined,
  resolve: () => void,
  reject: (reason: unknown) => void,
): Pick<Waiting, "resolve" | "reject"> {
  const abort = (): void => reject(signal?.reason);
  const leave = (): void => signal?.removeEventListener("abort", abort);
  signal?.addEventListener("abort", abort, { once: true });
  return {
    resolve: () => {
      leave();
      resolve();
    },
    reject: (reason) => {
      leave();
      reject(reason);
    },
  };
}
