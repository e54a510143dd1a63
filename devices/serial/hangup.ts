// Ends reads on a serial port whose device is gone; the native binding alone would read zero bytes for ever, at full speed.
import { read } from "node:fs";
import { promisify } from "node:util";
import { LinuxPortBinding } from "@serialport/bindings-cpp";
import { unixRead } from "@serialport/bindings-cpp/dist/unix-read.js";

const readFile = promisify(read);

/** A raw terminal gives at least one byte or EAGAIN; zero bytes mean that the kernel hung it up: unplugged for good. */
const readUnlessHungUp: typeof readFile = async (...request: Parameters<typeof readFile>) => {
  const outcome = await readFile(...request);
  if (outcome.bytesRead === 0) throw new Error("the device hung up");
  return outcome;
};

/** Call it once after open, before the first read. */
export function endReadsAtHangup(port: unknown): void {
  if (!(port instanceof LinuxPortBinding)) return;
  port.read = (buffer, offset, length) =>
    unixRead({ binding: port, buffer, offset, length, fsReadAsync: readUnlessHungUp });
}
