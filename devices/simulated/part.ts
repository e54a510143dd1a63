// What a simulated part is: something with its own behaviour at the far end of a serial port.
import type { DeviceClock } from "../clock.ts";
import type { TraceEvent } from "./trace.ts";

export interface SerialPart {
  /** Bytes that arrive at the part. */
  receive(bytes: Uint8Array): void;
  /** Power off: it sends nothing any more. */
  stop(): void;
}

export interface PartSurroundings {
  readonly clock: DeviceClock;
  /** Bytes from the part to whoever has the port open. */
  send(bytes: Uint8Array): void;
  /** Notes what happens to the part in the trace. */
  record(event: TraceEvent): void;
}
