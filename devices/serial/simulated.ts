// A simulated serial port: a part behind it that can be unplugged and plugged in again at any moment.
import { DeviceError } from "../error.ts";
import type { SerialPart } from "../simulated/part.ts";
import { createReceiveBuffer } from "./receiveBuffer.ts";
import type { ReceiveBuffer } from "./receiveBuffer.ts";
import type { SerialPort } from "./serial.ts";
import { refuseOversize } from "./writeBound.ts";

/** The device behind the port, with the levers that a test or a demo pulls. */
export interface SimulatedSerial {
  /** Rejects with "missing" while unplugged, "busy" while open. */
  open(): Promise<SerialPort>;
  /** Pulls the plug: an open port is told "disconnected" and stays useless; the part loses power. */
  unplug(): void;
  /** Puts a fresh part in. */
  plug(): void;
}

export function createSimulatedSerial(
  name: string,
  makePart: (send: (bytes: Uint8Array) => void) => SerialPart,
): SimulatedSerial {
  let listener: ReceiveBuffer | undefined;
  const startPart = (): SerialPart => makePart((bytes) => listener?.push(bytes));
  let part: SerialPart | undefined = startPart();

  const open = async (): Promise<SerialPort> => {
    if (part === undefined) throw new DeviceError("missing", `The simulated port "${name}" is unplugged; plug it in.`);
    if (listener !== undefined) throw new DeviceError("busy", `The simulated port "${name}" is open; close it first.`);
    const received = createReceiveBuffer();
    listener = received;
    const opened = part;
    let closed = false;

    const write = async (bytes: Uint8Array): Promise<void> => {
      if (closed) throw new DeviceError("closed", `The simulated port "${name}" is closed; open it again.`);
      refuseOversize(name, bytes.length, 0);
      if (part !== opened) throw goneFrom(name);
      opened.receive(bytes.slice());
    };
    const close = async (): Promise<void> => {
      closed = true;
      received.close();
      if (listener === received) listener = undefined;
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
  };

  const unplug = (): void => {
    part?.stop();
    part = undefined;
    listener?.disconnect(goneFrom(name));
    listener = undefined;
  };

  return {
    open,
    unplug,
    plug: () => {
      part ??= startPart();
    },
  };
}

function goneFrom(name: string): DeviceError {
  return new DeviceError("disconnected", `The simulated port "${name}" went away; plug it in and open it again.`);
}
