// Why readings are not taken.
import { OutstationError } from "../base/error.ts";

/** `busy`: too many readings wait for the disk; retryable. `disk`: the outbox did not take them, see `cause`. */
export type TelemetryErrorCode = "busy" | "disk" | "too-large" | "too-many-streams" | "closed";

export class TelemetryError extends OutstationError<TelemetryErrorCode> {}
