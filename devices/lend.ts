// Lends ports one holder at a time: a second open is refused until the first one's close has finished.
import { DeviceError } from "./error.ts";
import type { GpioLine } from "./gpio/gpio.ts";
import type { SerialPort } from "./serial/serial.ts";
import type { UdpSocket } from "./udp/udp.ts";

export interface Closable {
  close(): Promise<void>;
}

export interface Lender {
  /** Opens what `key` names unless it is lent; `wrap` gives the borrower the port with a close that returns it. */
  lend<Port extends Closable>(
    key: string,
    open: () => Promise<Port>,
    wrap: (port: Port, close: () => Promise<void>) => Port,
  ): Promise<Port>;
  /** Closes everything that is lent, also what is being opened now; nothing is lent afterwards. */
  close(): Promise<void>;
}

export function createLender(): Lender {
  const lent = new Map<string, Promise<Closable>>();
  let closed = false;

  return {
    lend: async (key, open, wrap) => {
      if (closed) throw new DeviceError("closed", "The board is closed.");
      if (lent.has(key)) throw new DeviceError("busy", `The port ${key} is open; whoever has it must close it first.`);
      const opening = open().then((port) => {
        let closing: Promise<void> | undefined;
        return wrap(port, () => (closing ??= port.close().finally(() => lent.delete(key))));
      });
      lent.set(key, opening);
      opening.catch(() => lent.delete(key));
      const port = await opening;
      if (!closed) return port;
      await port.close();
      throw new DeviceError("closed", "The board was closed while the port was opened.");
    },
    close: async () => {
      closed = true;
      const openings = await Promise.allSettled(lent.values());
      await Promise.all(
        openings.map((opening) => (opening.status === "fulfilled" ? opening.value.close() : undefined)),
      );
    },
  };
}

export function wrapSerial(port: SerialPort, close: () => Promise<void>): SerialPort {
  return {
    get overrunBytes() {
      return port.overrunBytes;
    },
    read: (maxBytes, signal) => port.read(maxBytes, signal),
    write: (bytes) => port.write(bytes),
    close,
    [Symbol.asyncDispose]: close,
  };
}

export function wrapGpio(line: GpioLine, close: () => Promise<void>): GpioLine {
  return {
    direction: line.direction,
    read: () => line.read(),
    write: (active) => line.write(active),
    watch: (edges, onEdge) => line.watch(edges, onEdge),
    close,
    [Symbol.asyncDispose]: close,
  };
}

export function wrapUdp(socket: UdpSocket, close: () => Promise<void>): UdpSocket {
  return {
    local: socket.local,
    get droppedDatagrams() {
      return socket.droppedDatagrams;
    },
    send: (bytes, to) => socket.send(bytes, to),
    receive: (max, signal) => socket.receive(max, signal),
    take: (max) => socket.take(max),
    close,
    [Symbol.asyncDispose]: close,
  };
}
