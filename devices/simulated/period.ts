// A task that repeats at a period until it is stopped; what a simulated part does by itself.
import type { DeviceClock } from "../clock.ts";

/** Returns what stops it; without a period nothing ever runs. */
export function startPeriod(clock: DeviceClock, everyMs: number | undefined, task: () => void): () => void {
  if (everyMs === undefined) return () => {};
  let cancel = (): void => {};
  const arm = (): void => {
    cancel = clock.after(everyMs, () => {
      task();
      arm();
    });
  };
  arm();
  return () => cancel();
}
