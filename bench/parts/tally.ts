// Adds packets up by purpose, and lists them by topic for whoever wants to know where bytes go.
import { classify, type Packet, type WireClass } from "./packets.ts";

export type Tally = ReadonlyMap<WireClass, number>;

export function tally(packets: readonly Packet[]): Tally {
  const sums = new Map<WireClass, number>();
  for (const packet of packets)
    for (const [name, bytes] of classify(packet)) sums.set(name, (sums.get(name) ?? 0) + bytes);
  return sums;
}

export function sumBytes(packets: readonly Packet[]): number {
  return packets.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
}

/** One packet a line, as they went. */
export function listPackets(packets: readonly Packet[]): string {
  return packets
    .map(({ direction, type, topic = "", lengthBytes }) => `${direction} ${lengthBytes} B ${type} ${topic}`)
    .join("\n");
}
