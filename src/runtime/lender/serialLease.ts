// One component's hold on one serial port: bytes and lines with timeouts over what the driver delivers.
import { DeviceError } from "../../../devices/error.ts";
import type { SerialPort } from "../../../devices/serial/serial.ts";
import type { Clock } from "../../base/clock.ts";
import { limits } from "../../base/limits.ts";
import { createDropTeller, type TellDrop } from "./countDrops.ts";
import { HostRefusal } from "./refusal.ts";

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

export interface SerialLease {
  read(maxBytes: number, timeoutMs: number | undefined): Promise<Uint8Array>;
  /** The next line without its ending. Over-long lines reject with "invalid" and are skipped whole. */
  readLine(timeoutMs: number | undefined): Promise<string>;
  write(bytes: Uint8Array): Promise<void>;
  discard(): void;
  close(): Promise<void>;
}

export interface SerialLeaseOptions {
  readonly access: "read" | "read-write";
  readonly clock: Clock;
  /** Called when the device went away; the lease is then of no more use. */
  readonly onLost: () => void;
  readonly onDropped: TellDrop;
}

export function createSerialLease(
  port: SerialPort,
  { access, clock, onLost, onDropped }: SerialLeaseOptions,
): SerialLease {
  const received = createLineBuffer();
  const closing = new AbortController();
  const tellOverrun = createDropTeller(() => port.overrunBytes, "serial-byte", onDropped);
  let isReading = false;

  /** Waits for more bytes until the deadline; one caller at a time. */
  const receive = async (deadlineMs: number | undefined): Promise<void> => {
    if (isReading) throw new HostRefusal("busy", "another read of this port is waiting");
    isReading = true;
    const timeout = new AbortController();
    const expire = (): void => timeout.abort(new HostRefusal("timeout", "nothing arrived in time"));
    const cancel =
      deadlineMs === undefined ? undefined : clock.after(Math.max(0, deadlineMs - clock.monotonicMs()), expire);
    try {
      const signal = AbortSignal.any([closing.signal, timeout.signal]);
      received.push(await watchLoss(port.read(limits.serial.receiveBufferBytes, signal), onLost));
    } finally {
      tellOverrun();
      cancel?.();
      isReading = false;
    }
  };
  const deadlineOf = (timeoutMs: number | undefined): number | undefined =>
    timeoutMs === undefined ? undefined : clock.monotonicMs() + timeoutMs;

  return {
    read: async (maxBytes, timeoutMs) => {
      const bounded = maxBytes >= 1 && maxBytes <= limits.serial.receiveBufferBytes;
      if (!bounded) throw new HostRefusal("invalid", `${maxBytes} bytes cannot be read at once`);
      if (received.length === 0) await receive(deadlineOf(timeoutMs));
      return received.take(maxBytes);
    },
    readLine: async (timeoutMs) => {
      const deadlineMs = deadlineOf(timeoutMs);
      for (;;) {
        const line = received.takeLine();
        if (line !== undefined) return line;
        await receive(deadlineMs);
      }
    },
    write: async (bytes) => {
      if (access === "read") throw new HostRefusal("not-writable", "the grant is read-only");
      if (bytes.length > limits.serial.writeMaxBytes) throw new HostRefusal("invalid", "too many bytes in one write");
      await watchLoss(port.write(bytes), onLost);
    },
    discard: () => received.clear(),
    close: async () => {
      closing.abort(new HostRefusal("closed", "the port was closed"));
      await port.close();
    },
  };
}

async function watchLoss<T>(work: Promise<T>, onLost: () => void): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof DeviceError && error.code === "disconnected") onLost();
    throw error;
  }
}

interface LineBuffer {
  readonly length: number;
  push(bytes: Uint8Array): void;
  take(maxBytes: number): Uint8Array;
  takeLine(): string | undefined;
  clear(): void;
}

function createLineBuffer(): LineBuffer {
  let bytes: Buffer = Buffer.alloc(0);
  let isSkipping = false;
  const cut = (count: number): Buffer => {
    const head = bytes.subarray(0, count);
    bytes = bytes.subarray(count);
    return head;
  };
  return {
    get length() {
      return bytes.length;
    },
    push: (more) => {
      bytes = Buffer.concat([bytes, more]);
    },
    take: (maxBytes) => new Uint8Array(cut(maxBytes)),
    takeLine: () => {
      const end = bytes.indexOf(lineFeed);
      // One more: the carriage return is not part of the line.
      if (end < 0 && bytes.length > limits.serial.lineMaxBytes + 1) {
        isSkipping = true;
        cut(bytes.length);
      }
      if (end < 0) return undefined;
      const ended = cut(end + 1).subarray(0, -1);
      const line = ended.at(-1) === carriageReturn ? ended.subarray(0, -1) : ended;
      const tooLong = isSkipping || line.length > limits.serial.lineMaxBytes;
      isSkipping = false;
      if (tooLong) throw new HostRefusal("invalid", `a line was longer than ${limits.serial.lineMaxBytes} bytes`);
      return line.toString("utf8");
    },
    clear: () => {
      bytes = Buffer.alloc(0);
      isSkipping = false;
    },
  };
}
