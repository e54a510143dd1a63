// A clock that stands still until a test moves it.
import type { DeviceClock } from "../../devices/clock.ts";

export interface ManualClock extends DeviceClock {
  /** Moves time and runs what came due, in order. */
  advance(ms: number): void;
}

export function createManualClock(startMs = 1_700_000_000_000): ManualClock {
  let elapsedMs = 0;
  const tasks = new Set<{ readonly atMs: number; readonly run: () => void }>();
  const nextTask = (untilMs: number) =>
    [...tasks].filter((task) => task.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
  return {
    nowMs: () => startMs + elapsedMs,
    monotonicNs: () => BigInt(Math.round(elapsedMs * 1_000_000)),
    after: (ms, run) => {
      const task = { atMs: elapsedMs + ms, run };
      tasks.add(task);
      return () => void tasks.delete(task);
    },
    advance: (ms) => {
      const untilMs = elapsedMs + ms;
      for (let task = nextTask(untilMs); task !== undefined; task = nextTask(untilMs)) {
        tasks.delete(task);
        elapsedMs = task.atMs;
        task.run();
      }
      elapsedMs = untilMs;
    },
  };
}
