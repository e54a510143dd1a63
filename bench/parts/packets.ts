// Cuts a connection's bytes into MQTT packets, 3.1.1 or 5, as far as counting them by purpose needs; every byte is in one.
import { classifyTopic, type TrafficClass } from "../../src/link/traffic.ts";

export interface Packet {
  /** As the gateway sees it. */
  readonly direction: "in" | "out";
  readonly type: PacketType;
  /** The first of several. */
  readonly topic: string | undefined;
  readonly payload: Uint8Array;
  /** All of it, header included. */
  readonly lengthBytes: number;
}

const types = [
  "reserved",
  "CONNECT",
  "CONNACK",
  "PUBLISH",
  "PUBACK",
  "PUBREC",
  "PUBREL",
  "PUBCOMP",
  "SUBSCRIBE",
  "SUBACK",
  "UNSUBSCRIBE",
  "UNSUBACK",
  "PINGREQ",
  "PINGRESP",
  "DISCONNECT",
  "AUTH",
] as const;
export type PacketType = (typeof types)[number];

/** "protocol" is all that is not payload: headers, topics, subscriptions, acknowledgements, pings. */
export type WireClass = TrafficClass | "protocol";

export interface PacketReader {
  /** Takes bytes as they come; returns the packets that are whole now. */
  read(bytes: Uint8Array): readonly Packet[];
}

/** `isVersion5` is asked at every packet: the CONNECT, on the other direction or first on this one, says it. */
export function createPacketReader(direction: Packet["direction"], isVersion5: () => boolean): PacketReader {
  let waiting: Buffer = Buffer.alloc(0);
  return {
    read: (bytes) => {
      waiting = Buffer.concat([waiting, bytes]);
      const packets: Packet[] = [];
      for (let body = findBody(waiting); body !== undefined; body = findBody(waiting)) {
        packets.push(readPacket(direction, waiting.subarray(0, body.end), { start: body.start, isVersion5 }));
        waiting = waiting.subarray(body.end);
      }
      return packets;
    },
  };
}

/** Protocol level 5 in a CONNECT (MQTT 5 3.1.2.2). */
export function saysVersion5({ payload }: Packet): boolean {
  return payload[6] === 5;
}

/** Bytes of a packet by purpose; they add up to its length. */
export function classify({ type, topic, payload, lengthBytes }: Packet): ReadonlyMap<WireClass, number> {
  if (type !== "PUBLISH" || topic === undefined) return new Map([["protocol", lengthBytes]]);
  return new Map<WireClass, number>([
    [classifyTopic(topic), payload.length],
    ["protocol", lengthBytes - payload.length],
  ]);
}

function findBody(bytes: Uint8Array): { readonly start: number; readonly end: number } | undefined {
  const length = readVariable(bytes, 1);
  if (length === undefined || bytes.length < length.next + length.value) return undefined;
  return { start: length.next, end: length.next + length.value };
}

function readPacket(
  direction: Packet["direction"],
  bytes: Buffer,
  { start, isVersion5 }: { readonly start: number; readonly isVersion5: () => boolean },
): Packet {
  const first = bytes[0] ?? 0;
  const type = types[first >> 4] ?? "reserved";
  const lengthBytes = bytes.length;
  if (type === "PUBLISH") {
    const topic = readText(bytes, start);
    const hasId = ((first >> 1) & 3) > 0;
    const body = start + 2 + Buffer.byteLength(topic) + (hasId ? 2 : 0);
    return { direction, type, topic, payload: bytes.subarray(skipProperties(bytes, body, isVersion5())), lengthBytes };
  }
  const asks = type === "SUBSCRIBE" || type === "UNSUBSCRIBE";
  const topic = asks ? readText(bytes, skipProperties(bytes, start + 2, isVersion5())) : undefined;
  return { direction, type, topic, payload: bytes.subarray(start), lengthBytes };
}

function skipProperties(bytes: Uint8Array, at: number, isVersion5: boolean): number {
  const length = isVersion5 ? readVariable(bytes, at) : undefined;
  return length === undefined ? at : length.next + length.value;
}

/** MQTT-2.2.3: seven bits a byte, at most four of them. */
function readVariable(bytes: Uint8Array, at: number): { readonly value: number; readonly next: number } | undefined {
  let value = 0;
  for (let place = 0; place < 4; place += 1) {
    const digit = bytes[at + place];
    if (digit === undefined) return undefined;
    value += (digit & 127) * 128 ** place;
    if (digit < 128) return { value, next: at + place + 1 };
  }
  throw new Error("a packet length has more than four bytes");
}

function readText(bytes: Buffer, at: number): string {
  return bytes.toString("utf8", at + 2, at + 2 + bytes.readUInt16BE(at));
}
