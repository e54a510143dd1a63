// A clock that a test moves by hand: nothing waits for real time, and every wait is visible.
import type { Clock } from "../../src/base/clock.ts";

export interface ManualClock extends Clock {
  /** Moves time on and runs, in order, everything that falls due, letting promises settle in between. */
  advance(ms: number): Promise<void>;
  /** Milliseconds from now at which something falls due, soonest first. */
  pending(): readonly number[];
}

interface Task {
  readonly atMs: number;
  readonly run: () => void;
}

export function createManualClock(startMs = 1_000_000): ManualClock {
  let nowMs = startMs;
  const tasks = new Set<Task>();
  const after = (ms: number, run: () => void): (() => void) => {
    const task = { atMs: nowMs + ms, run };
    tasks.add(task);
    return () => void tasks.delete(task);
  };
  const due = (untilMs: number): Task | undefined =>
    [...tasks].filter((task) => task.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    after,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const cancel = after(ms, resolve);
        signal?.addEventListener("abort", () => {
          cancel();
          reject(signal.reason);
        });
      }),
    advance: async (ms) => {
      const untilMs = nowMs + ms;
      await settle();
      for (let task = due(untilMs); task !== undefined; task = due(untilMs)) {
        tasks.delete(task);
        nowMs = Math.max(nowMs, task.atMs);
        task.run();
        await settle();
      }
      nowMs = untilMs;
    },
    pending: () => [...tasks].map((task) => task.atMs - nowMs).sort((a, b) => a - b),
  };
}

/** Lets every promise that can settle without the outside world settle. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A clock on which everything is due at once: for code whose waits do not matter to the test. */
export function createEagerClock(): Clock {
  let nowMs = 1_000_000;
  const after = (ms: number, task: () => void): (() => void) => {
    const immediate = setImmediate(() => {
      nowMs += ms;
      task();
    });
    return () => clearImmediate(immediate);
  };
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    after,
    sleep: (ms) => new Promise((resolve) => void after(ms, resolve)),
  };
}
