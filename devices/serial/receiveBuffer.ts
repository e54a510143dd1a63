// The bytes a serial port has received and nobody has read yet: a ring that drops the oldest and counts them.
import { createArrival } from "../arrival.ts";
import { DeviceError } from "../error.ts";
import { deviceLimits } from "../limits.ts";

export interface ReceiveBuffer {
  readonly overrunBytes: number;
  push(bytes: Uint8Array): void;
  /** As in SerialPort; what was received before a disconnect can still be read after it. */
  read(maxBytes: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** The device went away: reads reject with this once the buffer is empty. */
  disconnect(error: DeviceError): void;
  /** Reads reject with "closed" at once and what was buffered is gone. */
  close(): void;
}

export function createReceiveBuffer(capacityBytes: number = deviceLimits.serial.receiveBufferBytes): ReceiveBuffer {
  const ring = new Uint8Array(capacityBytes);
  const arrival = createArrival();
  let start = 0;
  let length = 0;
  let overrunBytes = 0;
  const isEmpty = (): boolean => length === 0;

  const push = (bytes: Uint8Array): void => {
    const kept = bytes.subarray(Math.max(0, bytes.length - capacityBytes));
    const dropped = Math.max(0, length + kept.length - capacityBytes);
    overrunBytes += bytes.length - kept.length + dropped;
    start = (start + dropped) % capacityBytes;
    length -= dropped;
    const end = (start + length) % capacityBytes;
    const untilWrap = kept.subarray(0, capacityBytes - end);
    ring.set(untilWrap, end);
    ring.set(kept.subarray(untilWrap.length), 0);
    length += kept.length;
    arrival.notify();
  };

  const take = (maxBytes: number): Uint8Array => {
    const taken = new Uint8Array(Math.min(maxBytes, length));
    const untilWrap = ring.subarray(start, Math.min(start + taken.length, capacityBytes));
    taken.set(untilWrap, 0);
    taken.set(ring.subarray(0, taken.length - untilWrap.length), untilWrap.length);
    start = (start + taken.length) % capacityBytes;
    length -= taken.length;
    return taken;
  };

  const read = async (maxBytes: number, signal?: AbortSignal): Promise<Uint8Array> => {
    signal?.throwIfAborted();
    if (!Number.isInteger(maxBytes) || maxBytes < 1)
      throw new DeviceError("invalid", `A read takes at least 1 byte, not ${maxBytes}.`);
    while (isEmpty()) await arrival.wait(signal);
    return take(maxBytes);
  };

  return {
    get overrunBytes() {
      return overrunBytes;
    },
    push,
    read,
    disconnect: (error) => arrival.end(error),
    close: () => {
      length = 0;
      arrival.end(new DeviceError("closed", "The serial port is closed; open it again."));
    },
  };
}
