// Proof that the broker is reached with what runs now: something published after now was acknowledged.
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { LinkError, type Link } from "../link/link.ts";

type LinkState = Pick<Link, "online" | "onOnline">;

export interface ReachOptions {
  readonly clock: Clock;
  readonly withinMs: number;
}

/** Resolves when `publish` was acknowledged; waits for the link to come back meanwhile. Rejects when the time is over. */
export async function reachBroker(link: LinkState, publish: () => Promise<void>, options: ReachOptions): Promise<void> {
  const { clock, withinMs } = options;
  const late = new AbortController();
  const cancel = clock.after(withinMs, () =>
    late.abort(new Error(`the broker was not reached within ${withinMs / 1000} s`)),
  );
  try {
    for (;;) {
      if (!link.online) await nextOnline(link, late.signal);
      try {
        return await Promise.race([publish(), aborted(late.signal)]);
      } catch (error) {
        if (!(error instanceof LinkError) || !error.retryable) throw error;
      }
      await clock.sleep(limits.link.republishMs, late.signal);
    }
  } finally {
    cancel();
  }
}

/** Never resolves; rejects with the signal's reason. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** Resolves at the next connect, or rejects with the signal's reason. */
export function nextOnline(link: LinkState, signal: AbortSignal): Promise<void> {
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
