// Proof that the broker is reached with what runs now: something published after now was acknowledged.
import type { Clock } from "../base/clock.ts";
import { LinkError, type Link } from "../link/link.ts";

export interface ReachOptions {
  readonly clock: Clock;
  readonly withinMs: number;
}

/** Resolves when `publish` was acknowledged; waits for the link to come back meanwhile. Rejects when the time is over. */
export async function reachBroker(link: Link, publish: () => Promise<void>, options: ReachOptions): Promise<void> {
  const { clock, withinMs } = options;
  const late = new AbortController();
  const cancel = clock.after(withinMs, () =>
    late.abort(new Error(`the broker was not reached within ${withinMs / 1000} s`)),
  );
  try {
    for (;;) {
      if (!link.online) await nextOnline(link, late.signal);
      try {
        return await publish();
      } catch (error) {
        if (!(error instanceof LinkError) || !error.retryable) throw error;
      }
      late.signal.throwIfAborted();
    }
  } finally {
    cancel();
  }
}

/** Resolves at the next connect, or rejects with the signal's reason. */
export function nextOnline(link: Link, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const settle = (end: () => void) => (): void => {
      stop();
      signal.removeEventListener("abort", onAbort);
      end();
    };
    const stop = link.onOnline(settle(resolve));
    const onAbort = settle(() => reject(signal.reason));
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
