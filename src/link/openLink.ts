// Keeps one connection to the broker up: connect, birth, resubscribe, announce; and again after every drop.
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/error.ts";
import type { Log } from "../base/log.ts";
import { limits } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { type Backoff, createBackoff } from "./backoff.ts";
import { type BrokerOptions, type Connection, openConnection } from "./connection.ts";
import { describeOffline } from "./describeOffline.ts";
import { createFetches, type Fetches } from "./fetch.ts";
import { closedError, type Link, LinkError, type Message, type MessageHandler } from "./link.ts";
import { createPublishQueue } from "./publishQueue.ts";
import { Subscriptions } from "./subscriptions.ts";
import { type BothWays, createTrafficMeter, type Traffic } from "./traffic.ts";

export interface RetainedMessage {
  readonly topic: string;
  readonly payload: Uint8Array | string;
}

export interface LinkOptions extends BrokerOptions {
  /** "auto" tries MQTT 5 and falls back to 3.1.1, for as long as the link is open, when the broker refuses it. */
  readonly protocol: "auto" | "3.1.1" | "5";
  /** Published retained right after every connect, before anything else and before `online`. */
  readonly birth?: () => RetainedMessage | undefined;
  /** Published retained by `close`: what the will says, said politely. */
  readonly goodbye?: () => RetainedMessage | undefined;
  /** Another client connected with our client id (known on MQTT 5 only); we come back after the longest backoff. */
  readonly onTakenOver?: () => void;
  /** Called with why an attempt to connect failed; it is tried again unless the link is closed. */
  readonly onFailure?: (reason: unknown) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Returns at once and connects in the background; a broker that is away or refuses us is tried for ever, with backoff. */
export function openLink(options: LinkOptions): Link {
  return new BrokerLink(options);
}

class BrokerLink implements Link {
  readonly #options: LinkOptions;
  readonly #stop = new AbortController();
  readonly #meter = createTrafficMeter();
  readonly #queue = createPublishQueue();
  readonly #subscriptions: Subscriptions;
  readonly #fetches: Fetches;
  readonly fetch: Link["fetch"];
  readonly #backoff: Backoff;
  readonly #listeners = { online: new Set<() => void>(), offline: new Set<() => void>() };
  readonly #running: Promise<void>;
  #version: "3.1.1" | "5";
  #connection: Connection | undefined;
  #online = false;
  /** Of the connections that are gone. */
  #closedBytes: BothWays = { in: 0, out: 0 };

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#subscriptions = new Subscriptions(options.log);
    this.#fetches = createFetches(this.#subscriptions, options.clock);
    this.fetch = this.#fetches.fetch;
    this.#backoff = createBackoff(options.random);
    this.#version = options.protocol === "3.1.1" ? "3.1.1" : "5";
    this.#running = this.#run();
  }

  get online(): boolean {
    return this.#online;
  }

  get traffic(): Traffic {
    return { in: this.#meter.in, out: this.#meter.out, socket: addBytes(this.#closedBytes, this.#connection) };
  }

  async publish(message: Message, signal?: AbortSignal): Promise<void> {
    await this.#queue.publish(message, signal);
  }

  async subscribe(filter: string, handler: MessageHandler): Promise<() => Promise<void>> {
    await this.#subscriptions.addHandler(filter, handler);
    return () => this.#subscriptions.removeHandler(filter, handler);
  }

  onOnline(callback: () => void): () => void {
    return listen(this.#listeners.online, callback);
  }

  onOffline(callback: () => void): () => void {
    return listen(this.#listeners.offline, callback);
  }

  async close(): Promise<void> {
    const leaving = this.#stop.signal.aborted ? undefined : this.#connection;
    this.#stop.abort(closedError());
    this.#queue.close();
    this.#fetches.close();
    if (leaving !== undefined) await this.#sayGoodbye(leaving);
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    const { clock, log, url } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#live(await this.#dialAnyVersion());
      } catch (thrown) {
        if (!signal.aborted) {
          log.warn({ url, reason: describeOffline(url, thrown) }, "the broker is not reached");
          this.#options.onFailure?.(thrown);
        }
      }
      // An abort ends the wait; the loop then ends itself.
      if (!signal.aborted) await clock.sleep(this.#backoff.nextMs(), signal).catch(() => undefined);
    }
  }

  async #dialAnyVersion(): Promise<Connection> {
    try {
      return await this.#dial();
    } catch (thrown) {
      const refused = thrown instanceof LinkError && thrown.code === "protocol-refused";
      if (!refused || this.#options.protocol !== "auto" || this.#version === "3.1.1") throw thrown;
      this.#version = "3.1.1";
      this.#options.log.info({ version: this.#version }, "the broker does not speak MQTT 5");
      return this.#dial();
    }
  }

  async #dial(): Promise<Connection> {
    const connection = await openConnection({
      ...this.#options,
      version: this.#version,
      signal: this.#stop.signal,
      onMessage: (topic, payload, retained) => {
        this.#meter.count("in", topic, payload.length);
        return this.#subscriptions.deliver(topic, payload, retained);
      },
    });
    const publish = (message: Message): Promise<void> => {
      this.#meter.count("out", message.topic, Buffer.byteLength(message.payload));
      return connection.publish(message);
    };
    return { ...connection, publish };
  }

  /** One connection from its birth to its close. */
  async #live(connection: Connection): Promise<void> {
    const { clock } = this.#options;
    const sinceMs = clock.monotonicMs();
    this.#connection = connection;
    await this.#announce(connection).catch((thrown: unknown) => connection.destroy(thrown));
    const { takenOver, cause } = await connection.closed;
    const wasOnline = this.#online;
    this.#closedBytes = addBytes(this.#closedBytes, connection);
    this.#connection = undefined;
    this.#online = false;
    this.#subscriptions.disconnected();
    this.#queue.use(undefined);
    this.#fetches.disconnected();
    this.#backoff.ended(clock.monotonicMs() - sinceMs);
    this.#explain(takenOver, cause);
    if (wasOnline) for (const listener of this.#listeners.offline) listener();
  }

  async #announce(connection: Connection): Promise<void> {
    const birth = this.#options.birth?.();
    if (birth !== undefined) await connection.publish({ ...birth, retain: true });
    await this.#subscriptions.restore(connection);
    if (this.#stop.signal.aborted) return;
    this.#queue.use(connection);
    this.#fetches.connected();
    this.#online = true;
    this.#options.log.info({ url: this.#options.url, version: this.#version }, "online");
    for (const listener of this.#listeners.online) listener();
  }

  #explain(takenOver: boolean, cause: unknown): void {
    const { log, clientId, url, onTakenOver } = this.#options;
    if (takenOver) {
      this.#backoff.takenOver();
      log.error({ clientId }, "another client connected with our client id; give each its own");
      onTakenOver?.();
    } else if (!this.#stop.signal.aborted) {
      const reason = cause === undefined ? "the broker closed the connection, or ended" : describeError(cause);
      log.warn({ url, reason }, "offline");
    }
  }

  async #sayGoodbye(connection: Connection): Promise<void> {
    const { clock, goodbye } = this.#options;
    const cut = clock.after(limits.link.closeTimeoutMs, () => connection.destroy(new Error("goodbye timeout")));
    try {
      const message = goodbye?.();
      if (message !== undefined) await connection.publish({ ...message, retain: true });
      await connection.end();
    } catch (thrown) {
      connection.destroy(thrown);
    } finally {
      cut();
    }
  }
}

function addBytes(before: BothWays, connection: Connection | undefined): BothWays {
  const { in: received, out: sent } = connection?.socketBytes() ?? { in: 0, out: 0 };
  return { in: before.in + received, out: before.out + sent };
}

function listen(listeners: Set<() => void>, callback: () => void): () => void {
  listeners.add(callback);
  return () => void listeners.delete(callback);
}
