// The bound on what a serial port accepts to write, the same for every driver.
import { DeviceError } from "../error.ts";
import { deviceLimits } from "../limits.ts";

/** Throws "invalid" when the bytes can never be taken at once, "busy" when they cannot be taken now. */
export function refuseOversize(port: string, sizeBytes: number, waitingBytes: number): void {
  const { writeBufferBytes } = deviceLimits.serial;
  if (sizeBytes > writeBufferBytes)
    throw new DeviceError(
      "invalid",
      `A write to ${port} takes at most ${writeBufferBytes} bytes, not ${sizeBytes}; split it.`,
    );
  if (sizeBytes + waitingBytes > writeBufferBytes)
    throw new DeviceError("busy", `${waitingBytes} bytes still wait to go out on ${port}; await earlier writes first.`);
}
