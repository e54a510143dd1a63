// Who wants which messages: standing handlers and one-off fetches, and what the broker must know of them.
import { describeError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { createBatches } from "./batches.ts";
import type { Connection } from "./connection.ts";
import { LinkError, type MessageHandler } from "./link.ts";
import { matchesFilter } from "./matchFilter.ts";

/** Takes the one message a fetch waits for. */
export type Waiter = (payload: Uint8Array) => void;
export type Subscriber = Pick<Connection, "subscribe" | "unsubscribe">;

interface Entry {
  readonly handlers: Set<MessageHandler>;
  readonly waiters: Set<Waiter>;
}

export class Subscriptions {
  readonly #log: Log;
  readonly #entries = new Map<string, Entry>();
  /** Topics the broker may still have in our session though nobody wants them. */
  readonly #leftBehind = new Set<string>();
  #connection: Subscriber | undefined;
  readonly #asks = createBatches(() => this.#connection);

  constructor(log: Log) {
    this.#log = log;
  }

  async addHandler(filter: string, handler: MessageHandler): Promise<void> {
    this.#entryOf(filter).handlers.add(handler);
    try {
      await this.#connection?.subscribe([{ filter, qos: 1 }]);
    } catch (thrown) {
      // A connection that dropped is not a failure: the next one subscribes again.
      if (thrown instanceof LinkError && thrown.code === "offline") return;
      this.#entries.get(filter)?.handlers.delete(handler);
      throw thrown;
    }
  }

  async removeHandler(filter: string, handler: MessageHandler): Promise<void> {
    if (this.#entries.get(filter)?.handlers.delete(handler)) await this.#release(filter);
  }

  /** Resolves when the broker was asked for the topic; the waiter is called at most once. */
  async addWaiter(topic: string, waiter: Waiter): Promise<void> {
    const entry = this.#entryOf(topic);
    entry.waiters.add(waiter);
    if (entry.waiters.size > 1) return;
    // QoS 0 needs no acknowledgement and leaves nothing in the session, unless that would weaken a standing handler.
    await this.#asks.subscribe(topic, entry.handlers.size > 0 ? 1 : 0);
  }

  /** No error when it was called or removed before. */
  removeWaiter(topic: string, waiter: Waiter): void {
    if (this.#entries.get(topic)?.waiters.delete(waiter)) void this.#release(topic);
  }

  /** Hands an inbound message out; resolves when every handler settled; never rejects. */
  async deliver(topic: string, payload: Uint8Array, retained: boolean): Promise<void> {
    const waiters = payload.length > 0 ? this.#takeWaiters(topic) : [];
    for (const waiter of waiters) waiter(payload);
    if (waiters.length > 0) void this.#release(topic);
    // The retained copy came because a fetch subscribed: handing it to handlers would let a nudge feed itself.
    if (waiters.length > 0 && retained) return;
    const handlers = [...this.#entries].flatMap(([filter, entry]) =>
      matchesFilter(filter, topic) ? [...entry.handlers] : [],
    );
    if (handlers.length + waiters.length === 0) await this.#leave(topic);
    await Promise.all(handlers.map((handler) => this.#run(handler, topic, payload, retained)));
  }

  /** Makes every standing subscription on a new connection, and drops what an earlier one left behind. */
  async restore(connection: Subscriber): Promise<void> {
    this.#connection = connection;
    const stale = [...this.#leftBehind];
    // Forgotten whatever comes of it: what is still there makes itself known, and must not end every connection.
    this.#leftBehind.clear();
    if (stale.length > 0) await connection.unsubscribe(stale);
    const standing = [...this.#entries].filter(([, entry]) => entry.handlers.size > 0);
    if (standing.length === 0) return;
    try {
      await connection.subscribe(standing.map(([filter]) => ({ filter, qos: 1 })));
    } catch (thrown) {
      if (!(thrown instanceof LinkError) || thrown.code !== "refused") throw thrown;
      this.#log.error({ reason: describeError(thrown) }, "the broker refused a subscription; check its ACL");
    }
  }

  disconnected(): void {
    this.#connection = undefined;
  }

  #entryOf(filter: string): Entry {
    const entry = this.#entries.get(filter) ?? { handlers: new Set(), waiters: new Set() };
    this.#entries.set(filter, entry);
    this.#leftBehind.delete(filter);
    return entry;
  }

  #takeWaiters(topic: string): readonly Waiter[] {
    const waiters = this.#entries.get(topic)?.waiters;
    const taken = [...(waiters ?? [])];
    waiters?.clear();
    return taken;
  }

  /** What an earlier run left in our session. A broker that makes topics up gets no answer to each of them. */
  async #leave(topic: string): Promise<void> {
    // MQTT-3.3.2-2: no topic has a wildcard; asking for one to be left would only be refused.
    const isTopic = topic !== "" && !/[+#\0]/.test(topic);
    if (isTopic && !this.#leftBehind.has(topic) && this.#leftBehind.size < limits.link.leftBehind)
      await this.#release(topic);
  }

  /** Unsubscribes when nobody wants the filter any more; also topics that an earlier run left in our session. */
  async #release(filter: string): Promise<void> {
    const entry = this.#entries.get(filter);
    if (entry !== undefined && entry.handlers.size + entry.waiters.size > 0) return;
    this.#entries.delete(filter);
    this.#leftBehind.add(filter);
    try {
      if (this.#connection === undefined) return;
      await this.#asks.unsubscribe(filter);
      this.#leftBehind.delete(filter);
    } catch (thrown) {
      this.#log.debug({ filter, reason: describeError(thrown) }, "unsubscribed at the next connect");
    }
  }

  async #run(handler: MessageHandler, ...message: Parameters<MessageHandler>): Promise<void> {
    try {
      await handler(...message);
    } catch (thrown) {
      this.#log.error({ topic: message[0], reason: describeError(thrown) }, "a message was not handled and is dropped");
    }
  }
}
