// Waiting for something to arrive: one waiter at a time, woken by an arrival, an end or its own signal.
import { DeviceError } from "./error.ts";

export interface Arrival {
  /** Resolves at the next `notify`; rejects with the end's error, the signal's reason, or "busy" while another waits. */
  wait(signal?: AbortSignal): Promise<void>;
  notify(): void;
  /** Nothing will arrive any more: whoever waits, now or later, is told why. Only "closed" replaces an earlier reason. */
  end(error: DeviceError): void;
}

export function createArrival(): Arrival {
  let ended: DeviceError | undefined;
  let settle: ((failure?: { readonly reason: unknown }) => void) | undefined;

  const wait = async (signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    if (ended !== undefined) throw ended;
    if (settle !== undefined) throw new DeviceError("busy", "Another read waits for this port; one waits at a time.");
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = (): void => settle?.({ reason: signal?.reason });
    settle = (failure) => {
      settle = undefined;
      signal?.removeEventListener("abort", abort);
      if (failure === undefined) resolve();
      else reject(failure.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
    await promise;
  };

  return {
    wait,
    notify: () => settle?.(),
    end: (error) => {
      if (ended === undefined || error.code === "closed") ended = error;
      settle?.({ reason: error });
    },
  };
}
