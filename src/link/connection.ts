// One MQTT connection from CONNECT to its close, over mqtt.js; it keeps nothing, retries nothing and never reconnects.
import { connect, type IClientOptions, type IPublishPacket, type MqttClient } from "mqtt";
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { createAcknowledger } from "./acknowledge.ts";
import { LinkError, offlineError, type Message } from "./link.ts";
import { createPacketBound } from "./packetBound.ts";
import { createPacketCut } from "./packetCut.ts";
import type { BothWays } from "./traffic.ts";

export interface BrokerOptions {
  /** "mqtt://host:1883" or "mqtts://host:8883". */
  readonly url: string;
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM texts; `ca` replaces the system's authorities, `cert` and `key` are ours. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Published retained by the broker when we vanish. */
  readonly will?: { readonly topic: string; readonly payload: Uint8Array | string };
}

export interface ConnectionOptions extends BrokerOptions {
  readonly version: "3.1.1" | "5";
  readonly clock: Clock;
  /** Gives up a connection that is not accepted yet. */
  readonly signal: AbortSignal;
  /** Must not reject; an inbound QoS 1 message is acknowledged after it settled. */
  readonly onMessage: (topic: string, payload: Uint8Array, retained: boolean) => Promise<void>;
}

export interface Subscription {
  readonly filter: string;
  readonly qos: 0 | 1;
}

export interface Connection {
  /** Settles when the connection is gone, for whatever reason; every operation under way has then rejected `offline`. */
  readonly closed: Promise<{ readonly takenOver: boolean; readonly cause: unknown }>;
  /** Unacknowledged publishes that we and the broker allow at once (MQTT 5 receive maximum). */
  readonly publishWindow: number;
  /** Bytes of MQTT so far, also after the close. */
  socketBytes(): BothWays;
  /** Rejects with LinkError `offline`, `refused` or `too-large`. */
  publish(message: Message): Promise<void>;
  subscribe(subscriptions: readonly Subscription[]): Promise<void>;
  unsubscribe(filters: readonly string[]): Promise<void>;
  /** A DISCONNECT that makes the broker forget the will. */
  end(): Promise<void>;
  /** Cuts the connection; the broker sends the will. */
  destroy(cause: unknown): void;
}

/** MQTT 5 4.13, reason 0x8E. */
const sessionTakenOver = 142;
/** CONNACK "unacceptable protocol version": 1 in MQTT 3.1.1 (3.2.2.3), 0x84 in MQTT 5 (3.2.2.2). */
const protocolRefused: readonly unknown[] = [1, 132];
/** Passed to mqtt.js so that it goes on reading without acknowledging; we acknowledge ourselves when it is handled. */
const acknowledgedLater = new Error("acknowledged when its handler settled");

/** Resolves at a CONNACK that accepts us; rejects with LinkError `offline`, `refused` or `protocol-refused`. */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const client = connect(options.url, clientOptions(options));
  const state = watchClient(client);
  const abandoned = options.clock.after(limits.link.connectTimeoutMs, () =>
    state.destroy(new Error("connect timeout")),
  );
  const aborted = (): void => state.destroy(options.signal.reason);
  options.signal.addEventListener("abort", aborted, { once: true });
  const socketBytes = receive(client, state, options);
  try {
    options.signal.throwIfAborted();
    const publishWindow = await state.accepted;
    const { closed } = state;
    return { ...operations(client, state, options.clock), closed, publishWindow, socketBytes };
  } catch (thrown) {
    state.destroy(thrown);
    throw refusalOf(thrown);
  } finally {
    abandoned();
    options.signal.removeEventListener("abort", aborted);
  }
}

function clientOptions(options: ConnectionOptions): IClientOptions {
  const { will, tls, username, password } = options;
  const properties = {
    sessionExpiryInterval: limits.link.sessionExpirySeconds,
    receiveMaximum: limits.link.receiveMaximum,
    maximumPacketSize: limits.link.packetMaxBytes,
  };
  return {
    clientId: options.clientId,
    protocolVersion: options.version === "5" ? 5 : 4,
    clean: false,
    reconnectPeriod: 0,
    resubscribe: false,
    keepalive: limits.link.keepaliveSeconds,
    connectTimeout: limits.link.connectTimeoutMs,
    ...(options.version === "5" && { properties }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...tls,
    ...(will && { will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: true } }),
  };
}

interface ClientState {
  /** The publish window, at CONNACK. */
  readonly accepted: Promise<number>;
  readonly closed: Connection["closed"];
  /** Operations that wait for an acknowledgement; called with the reason when the connection is gone. */
  readonly waiting: Set<(reason: LinkError) => void>;
  isOpen(): boolean;
  destroy(cause: unknown): void;
}

function watchClient(client: MqttClient): ClientState {
  const waiting: ClientState["waiting"] = new Set();
  const accepted = Promise.withResolvers<number>();
  const closed = Promise.withResolvers<{ takenOver: boolean; cause: unknown }>();
  let open = true;
  let cause: unknown;
  let takenOver = false;
  client.on("connect", (connack) => {
    const theirs = connack.properties?.receiveMaximum ?? limits.link.publishWindow;
    accepted.resolve(Math.min(theirs, limits.link.publishWindow));
  });
  client.on("error", (error) => {
    cause ??= error;
    client.stream.destroy();
  });
  client.on("disconnect", (packet) => {
    takenOver = packet.reasonCode === sessionTakenOver;
    cause ??= new Error(`the broker disconnected us with reason ${packet.reasonCode ?? 0}`);
  });
  client.on("close", () => {
    open = false;
    const reason = offlineError(cause);
    accepted.reject(cause ?? reason);
    for (const reject of waiting) reject(reason);
    waiting.clear();
    closed.resolve({ takenOver, cause });
  });
  const destroy = (why: unknown): void => {
    cause ??= why;
    client.end(true);
    client.stream.destroy();
  };
  return { accepted: accepted.promise, closed: closed.promise, waiting, isOpen: () => open, destroy };
}

/** Returns what counts the bytes of the connection. */
function receive(client: MqttClient, state: ClientState, options: ConnectionOptions): () => BothWays {
  const socketBytes = cutMessages(client.stream);
  const oversize = createPacketBound(limits.link.packetMaxBytes);
  client.stream.on("data", (bytes: Uint8Array) => {
    if (oversize(bytes)) state.destroy(new Error(`the broker sent a packet over ${limits.link.packetMaxBytes} bytes`));
  });
  if ("setNoDelay" in client.stream && typeof client.stream.setNoDelay === "function") client.stream.setNoDelay(true);
  const acknowledge = createAcknowledger((packet) => {
    if (state.isOpen()) client.stream.write(packet);
  });
  client.handleMessage = (packet: IPublishPacket, next) => {
    const payload = typeof packet.payload === "string" ? Buffer.from(packet.payload) : packet.payload;
    const handled = options.onMessage(packet.topic, payload, packet.retain);
    if (packet.qos !== 1 || packet.messageId === undefined) return next();
    acknowledge(packet.messageId, handled);
    next(acknowledgedLater);
  };
  return socketBytes;
}

/** Before mqtt.js sees the bytes; it has no place of its own for this. Returns how many came and went. */
function cutMessages(stream: MqttClient["stream"]): () => BothWays {
  const cut = createPacketCut(limits.link.packetMaxBytes, limits.link.cutMaxBytes);
  const push = stream.push.bind(stream);
  const write = stream.write.bind(stream) as (...args: readonly unknown[]) => boolean;
  // The CONNECT waits there already.
  const bytes = { in: 0, out: stream.writableLength };
  stream.push = (chunk: unknown, encoding) => {
    if (!(chunk instanceof Uint8Array)) return push(chunk, encoding);
    bytes.in += chunk.length;
    return push(cut(chunk), encoding);
  };
  // Not the socket's own count: with TLS it is none, and a WebSocket has none.
  stream.write = (chunk: unknown, ...rest: readonly unknown[]) => {
    bytes.out += typeof chunk === "string" ? Buffer.byteLength(chunk) : (chunk as Uint8Array).length;
    return write(chunk, ...rest);
  };
  return () => ({ ...bytes });
}

function operations(
  client: MqttClient,
  state: ClientState,
  clock: Clock,
): Omit<Connection, "closed" | "publishWindow" | "socketBytes"> {
  const acknowledged = (start: (done: (error?: Error | null) => void) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      if (!state.isOpen()) return reject(offlineError());
      const overdue = clock.after(limits.link.ackTimeoutMs, () => state.destroy(new Error("no acknowledgement")));
      const lost = (reason: LinkError): void => {
        overdue();
        reject(reason);
      };
      state.waiting.add(lost);
      start((error) => {
        // mqtt.js fails subscriptions itself when the stream closes; the close event then tells everybody why.
        if (client.stream.destroyed || !state.waiting.delete(lost)) return;
        overdue();
        if (error) reject(new LinkError("refused", `The broker refused: ${describeError(error)}.`, { cause: error }));
        else resolve();
      });
    });
  return {
    publish: async ({ topic, payload, retain = false }) => {
      const bytes = Buffer.from(payload);
      if (bytes.length > limits.link.packetMaxBytes) throw tooLargeError(topic, bytes.length);
      await acknowledged((done) => client.publish(topic, bytes, { qos: 1, retain }, (error) => done(error)));
    },
    subscribe: (subscriptions) => {
      const map = Object.fromEntries(subscriptions.map(({ filter, qos }) => [filter, { qos }]));
      return acknowledged((done) => client.subscribe(map, (error) => done(error)));
    },
    unsubscribe: (filters) => acknowledged((done) => client.unsubscribe([...filters], (error) => done(error))),
    end: async () => {
      client.end(false);
      await state.closed;
    },
    destroy: state.destroy,
  };
}

function refusalOf(thrown: unknown): LinkError {
  if (thrown instanceof LinkError) return thrown;
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  if (protocolRefused.includes(code))
    return new LinkError("protocol-refused", "The broker does not speak this MQTT version.", { cause: thrown });
  if (typeof code !== "number") return offlineError(thrown);
  const message = `The broker refused the connection: ${describeError(thrown)}. Check the user, password and client id.`;
  return new LinkError("refused", message, { cause: thrown, retryable: true });
}

function tooLargeError(topic: string, bytes: number): LinkError {
  const message = `${bytes} bytes for ${topic} are more than the ${limits.link.packetMaxBytes} one packet may have.`;
  return new LinkError("too-large", message);
}
