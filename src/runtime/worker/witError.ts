// Turns a failed host call into the error its WIT function declares; nothing else may reach the guest as an exception.
import { HostCallError } from "./calls.ts";

/** What jco lowers as the `err` of a result. */
export class WitError extends Error {
  readonly payload: unknown;

  constructor(payload: unknown) {
    super("the host call failed");
    this.payload = payload;
  }
}

const portErrors: Readonly<Record<string, string>> = {
  "unknown-port": "not-granted",
  "not-granted": "not-granted",
  busy: "busy",
  missing: "disconnected",
  disconnected: "disconnected",
  timeout: "timeout",
  "wrong-direction": "not-writable",
  "not-writable": "not-writable",
  invalid: "invalid",
  closed: "closed",
};

const socketErrors: Readonly<Record<string, string>> = {
  "access-denied": "access-denied",
  busy: "address-in-use",
  missing: "address-not-bindable",
  "not-permitted": "address-not-bindable",
  invalid: "invalid-argument",
  "too-large": "datagram-too-large",
  unreachable: "remote-unreachable",
  "too-many": "new-socket-limit",
  unsupported: "not-supported",
  closed: "invalid-state",
};

/** `outstation:gateway/ports.error` */
export function toPortError(error: unknown): WitError {
  const { code, message } = fieldsOf(error);
  const tag = portErrors[code];
  return new WitError(tag === undefined ? { tag: "other", val: message } : { tag });
}

/** `wasi:sockets/network.error-code` */
export function toSocketError(error: unknown): WitError {
  return new WitError(socketErrors[fieldsOf(error).code] ?? "unknown");
}

/** `outstation:gateway/readings.error` */
export function toReadingsError(error: unknown): WitError {
  const { code, message } = fieldsOf(error);
  if (code === "too-many") return new WitError({ tag: "too-many" });
  return new WitError({ tag: code === "invalid" ? "invalid" : "unavailable", val: message });
}

/** Awaits a host call and rethrows its failure as the declared error. */
export async function declare<T>(toError: (error: unknown) => WitError, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw toError(error);
  }
}

function fieldsOf(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof HostCallError) return error;
  throw error;
}
