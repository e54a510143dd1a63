// The small bounds of the runtime: the call queue, the rate limit, pending reports, the restart delay, the CPU watch.
import { describe, expect, test } from "vitest";
import { limits } from "../../../src/base/limits.ts";
import { createCallQueue, type QueuedCall } from "../../../src/runtime/callQueue.ts";
import { planRestartDelay } from "../../../src/runtime/component.ts";
import { createPendingReports } from "../../../src/runtime/lender/pendingReports.ts";
import { watchCpu } from "../../../src/runtime/watchCpu.ts";
import { createDropReport } from "../../../src/runtime/worker/dropReport.ts";
import { createRateLimit } from "../../../src/base/rateLimit.ts";
import { createManualClock, settle } from "../../support/manualClock.ts";

describe("the call queue", () => {
  test("runs one call at a time, in order", async () => {
    const { queue, call, events } = startQueue(8);
    const [first, second] = [call("first"), call("second")];
    await settle();
    expect(events).toEqual(["first"]);
    first.finish();
    await settle();
    expect(events).toEqual(["first", "second"]);
    second.finish();
    await settle();
    queue.push({ run: async () => void events.push("third"), drop() {} });
    expect(events).toEqual(["first", "second", "third"]);
  });

  test("drops the oldest waiting call when it is full, never the running one", async () => {
    const { call, events } = startQueue(2);
    const running = call("running");
    for (const name of ["a", "b", "c"]) call(name).finish();
    expect(events).toEqual(["running", "a dropped: the component is too slow: its queue is full"]);
    running.finish();
    await settle();
    expect(events.slice(2)).toEqual(["b", "c"]);
  });

  test("lets one call of a key wait or run, and drops the one that comes meanwhile", async () => {
    const { call, events } = startQueue(8);
    const tick = call("tick", "timer");
    call("again", "timer");
    call("other", "another timer").finish();
    expect(events).toEqual(["tick", "again dropped: the component is still busy with the one before"]);
    tick.finish();
    await settle();
    call("later", "timer").finish();
    expect(events.slice(2)).toEqual(["other", "later"]);
  });

  test("drops everything that waits when it is closed, and all that comes later", () => {
    const { queue, call, events } = startQueue(8);
    call("running");
    call("waiting");
    queue.close("stopped");
    call("late");
    expect(events).toEqual(["running", "waiting dropped: stopped", "late dropped: stopped"]);
  });
});

describe("the rate limit", () => {
  test("takes a second's worth at once and then as time goes on", () => {
    let nowMs = 0;
    const rate = createRateLimit(10, () => nowMs);
    expect(Array.from({ length: 11 }, () => rate.take(1)).filter(Boolean)).toHaveLength(10);
    nowMs = 250;
    expect([rate.take(3), rate.take(2), rate.take(1)]).toEqual([false, true, false]);
    nowMs = 100_000;
    expect([rate.take(10), rate.take(1)]).toEqual([true, false]);
  });

  test("takes one now and then when less than one a second is allowed", () => {
    let nowMs = 0;
    const rate = createRateLimit(0.5, () => nowMs);
    expect([rate.take(1), rate.take(1)]).toEqual([true, false]);
    nowMs = 1999;
    expect(rate.take(1)).toBe(false);
    nowMs = 2000;
    expect(rate.take(1)).toBe(true);
  });
});

describe("the report of what was dropped", () => {
  test("is made at once, then at most once a while, and counts every drop in the end", () => {
    const told: number[] = [];
    const timers: (() => void)[] = [];
    let nowMs = 1000;
    const after = (_ms: number, task: () => void): void => void timers.push(task);
    const { drop, tellAll } = createDropReport((count) => void told.push(count), 250, {
      monotonicMs: () => nowMs,
      after,
    });
    for (let line = 0; line < 1_000_000; line += 1) drop(1);
    expect([told, timers.length]).toEqual([[1], 1]);
    nowMs = 1250;
    drop(2);
    expect(told).toEqual([1, 1_000_001]);
    drop(3);
    nowMs = 1500;
    timers[0]?.();
    expect(told).toEqual([1, 1_000_001, 3]);
    expect(timers).toHaveLength(1);
    drop(4);
    tellAll();
    tellAll();
    expect(told).toEqual([1, 1_000_001, 3, 4]);
  });
});

describe("pending reports", () => {
  test("lets reports go on until too many are pending", async () => {
    const reports = createPendingReports();
    const durable = Array.from({ length: limits.component.pendingReports + 1 }, () => Promise.withResolvers<void>());
    for (const { promise } of durable.slice(0, -1)) await reports.add(promise);
    let isTaken = false;
    const last = reports.add(durable.at(-1)?.promise ?? Promise.resolve()).then(() => (isTaken = true));
    await settle();
    expect(isTaken).toBe(false);
    durable[3]?.resolve();
    await last;
    for (const { resolve } of durable) resolve();
    await reports.settled();
  });

  test("tells a failure once, at the next report or flush", async () => {
    const reports = createPendingReports();
    await reports.add(Promise.reject(new Error("the disk is full")));
    await expect(reports.flush()).rejects.toThrow("the disk is full");
    await reports.flush();
    await reports.add(Promise.reject(new Error("again")));
    await reports.settled();
    await expect(reports.add(Promise.resolve())).rejects.toThrow("again");
  });
});

describe("the restart delay", () => {
  test("doubles with every recent crash up to its maximum, with at most a fifth more", () => {
    const { restartMinMs, restartMaxMs } = limits.component;
    expect([0, 1, 2, 3].map((crashes) => planRestartDelay(crashes, 0))).toEqual(
      [1, 1, 2, 4].map((times) => times * restartMinMs),
    );
    expect(planRestartDelay(1000, 0)).toBe(restartMaxMs);
    expect(planRestartDelay(1000, 1)).toBe(restartMaxMs * 1.2);
  });
});

describe("the CPU watch", () => {
  test("counts from when it starts, and tells an excess once", async () => {
    const { clock, reasons, use } = startWatch(4000);
    use(2000);
    await clock.advance(limits.component.cpuWindowMs);
    expect(reasons).toEqual([]);
    use(2600);
    await clock.advance(limits.component.cpuWindowMs);
    use(9000);
    await clock.advance(10 * limits.component.cpuWindowMs);
    expect(reasons).toEqual(["it used 26% of a core for 10 s; its limit is 25%"]);
  });

  test("looks no more when the component has ended", async () => {
    const { clock, reasons, use, abort } = startWatch(0);
    abort.abort();
    use(100_000);
    await clock.advance(limits.component.cpuWindowMs);
    expect(reasons).toEqual([]);
    expect(clock.pending()).toEqual([]);
  });
});

interface StartedWatch {
  readonly clock: ReturnType<typeof createManualClock>;
  readonly reasons: string[];
  readonly abort: AbortController;
  use(ms: number): void;
}

function startWatch(startedWithMs: number): StartedWatch {
  const clock = createManualClock();
  const abort = new AbortController();
  const reasons: string[] = [];
  let usedMs = startedWithMs;
  const worker = { cpuMs: async () => usedMs };
  watchCpu({ worker, clock, share: 0.25, signal: abort.signal, onExcess: (reason) => reasons.push(reason) });
  return { clock, reasons, abort, use: (ms) => void (usedMs += ms) };
}

interface StartedQueue {
  readonly queue: ReturnType<typeof createCallQueue>;
  readonly events: string[];
  /** Pushes a call that runs until it is told to finish. */
  call(name: string, key?: string): { finish(): void };
}

function startQueue(depth: number): StartedQueue {
  const queue = createCallQueue(depth);
  const events: string[] = [];
  return {
    queue,
    events,
    call: (name, key) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const queued: QueuedCall = {
        ...(key === undefined ? {} : { key }),
        run: () => {
          events.push(name);
          return promise;
        },
        drop: (reason) => void events.push(`${name} dropped: ${reason}`),
      };
      queue.push(queued);
      return { finish: resolve };
    },
  };
}
