// Asks the main thread to act on what it owns and waits for the answer; the guest is suspended meanwhile.
import type { MessagePort } from "node:worker_threads";
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
