// Waiting for something to arrive: one waiter at a time, woken by an arrival, an end or its own signal.
import { DeviceError } from "./error.ts";

export interface Arrival {
  /** Resolves at the next `notify`; rejects with the end's error, the signal's reason, or "busy" while another waits. */
  wait(signal?: AbortSignal): Promise<void>;
  notify(): void;
  /** Nothing will arrive any more: whoever waits, now or later, is told why. The first reason stays until "closed". */
  end(error: DeviceError): void;
}

export function createArrival(): Arrival {
  let ended: DeviceError | undefined;
  let waiter: { readonly resolve: () => void; readonly reject: (reason: unknown) => void } | undefined;

  const wait = async (signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    if (ended !== undefined) throw ended;
    if (waiter !== undefined) throw new DeviceError("busy", "Another read waits for this port; one waits at a time.");
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    waiter = { resolve, reject };
    const abort = (): void => reject(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener("abort", abort);
      waiter = undefined;
    }
  };

  return {
    wait,
    notify: () => waiter?.resolve(),
    end: (error) => {
      if (ended === undefined || error.code === "closed") ended = error;
      waiter?.reject(error);
    },
  };
}
