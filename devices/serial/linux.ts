// A real serial port through the serialport package: exclusive, bounded, and with errors that name the cause.
import { SerialPort as NativePort } from "serialport";
import { DeviceError } from "../error.ts";
import { endReadsAtHangup } from "./hangup.ts";
import { guardPoller } from "./pollerGuard.ts";
import { createReceiveBuffer } from "./receiveBuffer.ts";
import type { SerialPort, SerialSettings } from "./serial.ts";
import { refuseOversize } from "./writeBound.ts";

/** Rejects with "missing", "not-permitted", "busy", "unsupported" or "failed". */
export async function openLinuxSerial(path: string, settings: SerialSettings): Promise<SerialPort> {
  guardPoller();
  const native = new NativePort({ path, ...settings, lock: true, autoOpen: false });
  await new Promise<void>((resolve, reject) => {
    native.open((error) => (error === null ? resolve() : reject(describeOpenFailure(path, error))));
  });
  endReadsAtHangup(native.port);
  return driveNativePort(path, native);
}

function driveNativePort(path: string, native: NativePort): SerialPort {
  const received = createReceiveBuffer();
  let ended: DeviceError | undefined;
  const { promise: closed, resolve: settleClosed } = Promise.withResolvers<void>();

  native.on("data", (bytes: Uint8Array) => received.push(bytes));
  native.on("error", (cause: Error) => {
    ended ??= new DeviceError("failed", `${path}: ${cause.message}`, { cause });
  });
  native.on("close", (cause: Error | null) => {
    settleClosed();
    if (ended?.code === "closed") return;
    ended = new DeviceError("disconnected", `${path} went away; plug it in and open it again.`, { cause });
    received.disconnect(ended);
  });

  const write = async (bytes: Uint8Array): Promise<void> => {
    if (ended !== undefined) throw ended;
    refuseOversize(path, bytes.length, native.writableLength);
    await new Promise<void>((resolve, reject) => {
      // The stream calls back for every write, also for those that wait behind one that a close cancelled.
      // A copy: the caller may reuse its buffer while the line is slow.
      native.write(Buffer.from(bytes), (error) => {
        if (error) reject(ended ?? new DeviceError("failed", `${path}: ${error.message}`, { cause: error }));
        else resolve();
      });
    });
  };

  const close = async (): Promise<void> => {
    if (ended?.code !== "closed") {
      ended = new DeviceError("closed", `${path} is closed; open it again.`);
      received.close();
      if (native.isOpen) native.close(() => settleClosed());
    }
    await closed;
  };

  return {
    get overrunBytes() {
      return received.overrunBytes;
    },
    read: received.read,
    write,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The native binding reports the operating system's words and no code; this table is the only place that reads them. */
const openFailures = [
  ["Cannot lock port", "busy", "another program has it open; stop that program"],
  ["resource busy", "busy", "another program has it open; stop that program"],
  ["No such", "missing", "it is not plugged in, or the board file names the wrong path"],
  ["Permission denied", "not-permitted", "add the agent's user to the group that owns it, usually dialout"],
  ["Inappropriate ioctl", "unsupported", "it is not a serial port"],
] as const;

export function describeOpenFailure(path: string, cause: Error): DeviceError {
  const [, code, advice] = openFailures.find(([words]) => cause.message.includes(words)) ?? [];
  if (code === undefined) return new DeviceError("failed", `${path} does not open: ${cause.message}`, { cause });
  return new DeviceError(code, `${path} does not open: ${advice}.`, { cause });
}
