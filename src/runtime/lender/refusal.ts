// A host call that is refused or failed, by a code the guest's WIT error is made from.
import { DeviceError } from "../../../devices/error.ts";
import { describeError, OutstationError } from "../../base/error.ts";
import type { HostFailure } from "../messages.ts";

/** Thrown by the main thread's side of a host call; crosses to the worker as its code and message. */
export class HostRefusal extends OutstationError<
  | "not-granted"
  | "access-denied"
  | "busy"
  | "timeout"
  | "not-writable"
  | "invalid"
  | "closed"
  | "too-large"
  | "too-many"
  | "unavailable"
> {}

/** Anything thrown on the way, as the worker is told of it. */
export function toHostFailure(error: unknown): HostFailure {
  if (error instanceof DeviceError || error instanceof OutstationError)
    return { code: error.code, message: error.message };
  return { code: "failed", message: describeError(error) };
}
