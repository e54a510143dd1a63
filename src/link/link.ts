// What the rest of the product sees of the broker: publish, subscribe, fetch, and whether it is reached.
import { OutstationError } from "../base/error.ts";
import type { Traffic } from "./traffic.ts";

export type LinkErrorCode =
  | "offline"
  | "closed"
  | "queue-full"
  | "timeout"
  | "too-large"
  | "refused"
  | "protocol-refused";

/** `offline`, `queue-full` and `timeout` are retryable: nobody has to change anything for a later call to succeed. */
export class LinkError extends OutstationError<LinkErrorCode> {}

export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array | string;
  readonly retain?: boolean;
}

/** Called in order of arrival; the broker is told "received" only after the returned promise settled. */
export type MessageHandler = (topic: string, payload: Uint8Array, retained: boolean) => void | Promise<void>;

export interface FetchOptions {
  readonly maxBytes: number;
  /** `limits.link.fetchTimeoutMs` when left out; null leaves the end to the signal. */
  readonly timeoutMs?: number | null;
  readonly signal?: AbortSignal;
}

/** The one connection to the broker; it reconnects by itself until it is closed. */
export interface Link extends AsyncDisposable {
  /** True from the moment the birth is acknowledged and every subscription stands, until the connection drops. */
  readonly online: boolean;
  readonly traffic: Traffic;
  /**
   * Resolves at the broker's PUBACK (QoS 1). Rejects with LinkError: `offline` when the connection is down or drops
   * first (the message may or may not have arrived; the caller retries), `queue-full`, `too-large`, `refused`, `closed`.
   * Nothing is kept over a reconnect or a power cut: durability is the caller's (the outbox).
   */
  publish(message: Message, signal?: AbortSignal): Promise<void>;
  /**
   * Hands every message on `filter` to `handler`, over every reconnect, until the returned function is called.
   * Resolves when the broker granted it or, while offline, at once. What waits in the broker's session arrives right
   * after the connect, so subscribe before the first `await` after `openLink`. A handler that rejects is logged and its
   * message acknowledged; when the power goes before the handler settled, the broker delivers the message again.
   */
  subscribe(filter: string, handler: MessageHandler): Promise<() => Promise<void>>;
  /**
   * The retained message of one exact topic; leaves no subscription behind. Rejects with LinkError `timeout` (there is
   * none, or it is empty), `too-large`, `offline`, or with the signal's reason. The caller retries.
   */
  readonly fetch: (topic: string, options: FetchOptions) => Promise<Uint8Array>;
  /** Called after every connect, once `online`. The returned function ends it. */
  onOnline(callback: () => void): () => void;
  onOffline(callback: () => void): () => void;
  /** Publishes the goodbye, disconnects so that the will is not sent, and ends every wait. Never rejects. */
  close(): Promise<void>;
}

export function offlineError(cause?: unknown): LinkError {
  return new LinkError("offline", "The broker is not reached; try again when the link is online.", {
    cause,
    retryable: true,
  });
}

export function closedError(): LinkError {
  return new LinkError("closed", "The link is closed; open a new one to reach the broker.");
}
