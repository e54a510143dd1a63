// Asks the main thread to act on what it owns and waits for the answer; the guest is suspended meanwhile.
import type { MessagePort } from "node:worker_threads";
import { limits } from "../../base/limits.ts";
import type { HostFailure, Operation, Operations, ToWorker } from "../messages.ts";

/** A failed host call inside the worker; each host turns it into its own WIT error. */
export class HostCallError extends Error {
  readonly code: string;

  constructor({ code, message }: HostFailure) {
    super(message);
    this.code = code;
  }
}

export interface HostCalls {
  ask<Op extends Operation>(operation: Op, ...args: Operations[Op]["in"]): Promise<Operations[Op]["out"]>;
  /** Tells without waiting; used when a resource is dropped. */
  tell(operation: "close", lease: number): void;
  settle(answer: Extract<ToWorker, { kind: "answer" }>): void;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export function createHostCalls(port: Pick<MessagePort, "postMessage">): HostCalls {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  const post = (operation: Operation, args: readonly unknown[]): number => {
    const id = ++lastId;
    port.postMessage({ kind: "request", id, operation, args });
    return id;
  };
  return {
    ask: (operation, ...args) =>
      new Promise((resolve, reject) => {
        if (measure(args) > limits.component.callBytes)
          return reject(
            new HostCallError({ code: "invalid", message: `more than ${limits.component.callBytes} bytes` }),
          );
        waiting.set(post(operation, args), { resolve: resolve as (value: unknown) => void, reject });
      }),
    tell: (operation, lease) => void post(operation, [lease]),
    settle: ({ id, value, failure }) => {
      const entry = waiting.get(id);
      waiting.delete(id);
      if (failure !== undefined) entry?.reject(new HostCallError(failure));
      else entry?.resolve(value);
    },
  };
}

/** Bytes of the texts and lists in a call's arguments: what would be copied to the main thread. */
function measure(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (value instanceof Uint8Array) return value.length;
  if (typeof value !== "object" || value === null) return 8;
  return Object.values(value).reduce((total: number, part) => total + measure(part), 0);
}
