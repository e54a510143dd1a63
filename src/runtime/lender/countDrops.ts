// Tells of what the hardware dropped because a component was too slow to take it; a driver itself only counts.
import type { UdpSocket } from "../../../devices/udp/udp.ts";

/** What a component lost before it could take it. */
export type HardwareDrop = "serial-byte" | "datagram";
export type TellDrop = (what: HardwareDrop, count: number) => void;

/** Compares a driver's running total with what was told before, and tells the difference. */
export function createDropTeller(total: () => number, what: HardwareDrop, tell: TellDrop): () => void {
  let told = 0;
  return () => {
    const dropped = total() - told;
    if (dropped <= 0) return;
    told += dropped;
    tell(what, dropped);
  };
}

/** The same socket, which tells of drops whenever something is taken from it. */
export function tellDrops(socket: UdpSocket, tell: TellDrop): UdpSocket {
  const tellNew = createDropTeller(() => socket.droppedDatagrams, "datagram", tell);
  return {
    local: socket.local,
    get droppedDatagrams() {
      return socket.droppedDatagrams;
    },
    send: (bytes, to) => socket.send(bytes, to),
    receive: async (max, signal) => {
      const received = await socket.receive(max, signal);
      tellNew();
      return received;
    },
    take: (max) => {
      tellNew();
      return socket.take(max);
    },
    close: () => socket.close(),
    [Symbol.asyncDispose]: () => socket.close(),
  };
}
