// Between a gateway and a real broker: passes MQTT packets on, and spoils some of those that go to the gateway.
import { connect, createServer, type Socket } from "node:net";
import { listen } from "../../demo/parts/gate.ts";
import { createSeeded } from "./sampling.ts";

export interface HostileProxy extends AsyncDisposable {
  readonly url: string;
  /** Packets it spoiled so far. */
  readonly spoiled: number;
  /** From now on it passes everything on as it is; connections of before are cut. */
  behave(): void;
}

export interface HostileProxyOptions {
  readonly seed: number;
  /** Of the packets to the gateway that are spoiled in themselves. */
  readonly share: number;
  /** What is put in place of the payload of every message on a topic; undefined drops it. */
  readonly rewrite: (topic: string) => Uint8Array | undefined;
}

const publishType = 3;

export async function startHostileProxy(
  brokerUrl: string,
  { seed, share, rewrite }: HostileProxyOptions,
): Promise<HostileProxy> {
  const random = createSeeded(seed);
  const sockets = new Set<Socket>();
  let [spoiled, isHostile] = [0, true];
  const server = createServer((gateway) => {
    const broker = connect(Number(new URL(brokerUrl).port), "127.0.0.1");
    for (const [socket, other] of [
      [gateway, broker],
      [broker, gateway],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true).on("error", () => other.destroy());
      socket.on("close", () => (sockets.delete(socket), other.destroy()));
    }
    gateway.pipe(broker);
    let held: Uint8Array | undefined;
    const spoil = (packet: Uint8Array): readonly Uint8Array[] => {
      // A delayed packet comes after the one that follows it.
      const late = held === undefined ? [] : [held];
      held = undefined;
      if (!isHostile || random() >= share) return [packet, ...late];
      spoiled += 1;
      const trick = Math.floor(random() * 6);
      const at = Math.floor(random() * packet.length);
      if (trick === 0 && isPublish(packet)) return late;
      if (trick === 1 && isPublish(packet)) return [packet, ...late, packet];
      if (trick === 2 && isPublish(packet)) return ((held = packet), late);
      if (trick === 3) return [packet.subarray(0, at), ...late];
      if (trick === 4 && isPublish(packet)) return [flipEnd(packet, random), ...late];
      const garbled = packet.slice();
      garbled[at] = (garbled[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      return [garbled, ...late];
    };
    let pending: Uint8Array = new Uint8Array();
    broker.on("data", (bytes: Buffer) => {
      pending = Buffer.concat([pending, bytes]);
      for (let length = packetLength(pending); length !== undefined; length = packetLength(pending)) {
        const packet = pending.slice(0, length);
        const told = isHostile && isPublish(packet) ? rewritePublish(packet, rewrite) : packet;
        for (const part of told === undefined ? [] : spoil(told)) gateway.write(part);
        pending = pending.subarray(length);
      }
    });
  });
  const port = await listen(server);
  const cut = (): void => sockets.forEach((socket) => void socket.destroy());
  return {
    url: `mqtt://127.0.0.1:${port}`,
    get spoiled() {
      return spoiled;
    },
    behave: () => {
      isHostile = false;
      cut();
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
      cut();
    },
  };
}

/** MQTT 2.2: a byte of type and flags, then the remaining length in up to four bytes of seven bits. */
function packetLength(bytes: Uint8Array): number | undefined {
  let remaining = 0;
  for (let at = 1; at <= 4; at += 1) {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    remaining += (byte & 127) * 128 ** (at - 1);
    if (byte < 128) return bytes.length >= at + 1 + remaining ? at + 1 + remaining : undefined;
  }
  return undefined;
}

function isPublish(packet: Uint8Array): boolean {
  return (packet[0] ?? 0) >> 4 === publishType;
}

/** MQTT 3.3 of version 3.1.1: topic, packet identifier unless QoS is 0, payload. */
function rewritePublish(packet: Uint8Array, rewrite: HostileProxyOptions["rewrite"]): Uint8Array | undefined {
  const first = packet[0] ?? 0;
  let head = 1;
  while ((packet[head] ?? 0) >= 128) head += 1;
  head += 1;
  const topicEnd = head + 2 + Buffer.from(packet).readUInt16BE(head);
  const payloadAt = topicEnd + ((first & 6) === 0 ? 0 : 2);
  const payload = rewrite(Buffer.from(packet.subarray(head + 2, topicEnd)).toString());
  if (payload === undefined) return undefined;
  const lengths: number[] = [];
  let remaining = payloadAt - head + payload.length;
  do {
    lengths.push((remaining % 128) + (remaining >= 128 ? 128 : 0));
    remaining = Math.floor(remaining / 128);
  } while (remaining > 0);
  return Buffer.concat([Uint8Array.of(first, ...lengths), packet.subarray(head, payloadAt), payload]);
}

/** Changes the payload, which is at the end, and leaves the packet well-formed. */
function flipEnd(packet: Uint8Array, random: () => number): Uint8Array {
  const flipped = packet.slice();
  const at = packet.length - 1 - Math.floor(random() * Math.min(100, packet.length / 2));
  flipped[at] = (flipped[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  return flipped;
}
