// What can go wrong with the disk, and what to do about it.
import { OutstationError } from "../base/error.ts";

/**
 * `broken`: a write or sync failed and the file may hold anything (retrying an fsync reports success it did not have):
 * restart and read again. `disk`: nothing was written; retryable. `busy`: too much waits for the disk; retryable.
 */
export type StoreErrorCode = "broken" | "disk" | "busy" | "too-large" | "closed";

export class StoreError extends OutstationError<StoreErrorCode> {}
