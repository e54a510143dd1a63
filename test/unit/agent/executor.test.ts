// The executor runs one thing at a time, forgets no nudge, retries what failed, and ends when it is told to.
import { describe, expect, it } from "vitest";
import { createExecutor } from "../../../src/agent/executor.ts";
import { OutstationError } from "../../../src/base/error.ts";
import { limits } from "../../../src/base/limits.ts";
import type { Log } from "../../../src/base/log.ts";
import { createManualClock, settle } from "../../support/manualClock.ts";

const { retryMinMs, retryMaxMs } = limits.deployment;
const unreachable = new OutstationError("offline", "The broker is not reached.", { retryable: true });

function start(fraction = 0) {
  const clock = createManualClock();
  const said: string[] = [];
  const say = (level: string) => (_fields: unknown, message: string) => void said.push(`${level}: ${message}`);
  const log: Log = { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") };
  const rounds: PromiseWithResolvers<"settled" | "try-later">[] = [];
  const executor = createExecutor({
    reconcile: () => {
      const round = Promise.withResolvers<"settled" | "try-later">();
      rounds.push(round);
      return round.promise;
    },
    clock,
    random: { uuid: () => "", fraction: () => fraction },
    log,
  });
  return { clock, said, rounds, executor };
}

describe("the executor", () => {
  it("runs one thing at a time, in the order in which it was asked", async () => {
    const { executor, rounds } = start();
    const done: string[] = [];
    executor.nudge();
    executor.run(async () => void done.push("first"));
    executor.run(async () => void done.push("second"));
    await settle();
    expect([rounds.length, ...done]).toEqual([1]);
    rounds[0]?.resolve("settled");
    await settle();
    expect(done).toEqual(["first", "second"]);
  });

  it("makes one round of all the nudges before it begins, and one more of those while it runs", async () => {
    const { executor, rounds } = start();
    executor.run(() => Promise.resolve());
    for (let nudge = 0; nudge < 5; nudge += 1) executor.nudge();
    await settle();
    expect(rounds.length).toBe(1);
    for (let nudge = 0; nudge < 5; nudge += 1) executor.nudge();
    rounds[0]?.resolve("settled");
    await settle();
    rounds[1]?.resolve("settled");
    await settle();
    expect(rounds.length).toBe(2);
  });

  it("leaves nothing behind that is asked in the very turn in which it became idle", async () => {
    const { executor } = start();
    let late = 0;
    // Each of these asks some microtasks after the only task ended; one of them meets the executor as it stops looking.
    for (let turns = 0; turns < 12; turns += 1) {
      const ended = Promise.withResolvers<void>();
      executor.run(() => ended.promise);
      ended.resolve();
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      executor.run(async () => void (late += 1));
      await settle();
      expect(late).toBe(turns + 1);
    }
  });

  it("tries again after a failure, later each time, spread by chance, and at most so late", async () => {
    for (const fraction of [0, 0.999_999]) {
      const { executor, rounds, clock } = start(fraction);
      const waitsMs: number[] = [];
      executor.nudge();
      for (let failure = 0; failure < 12; failure += 1) {
        await settle();
        rounds[failure]?.reject(unreachable);
        await settle();
        const [waitMs = 0] = clock.pending();
        waitsMs.push(waitMs);
        await clock.advance(waitMs);
      }
      const share = fraction === 0 ? 0.5 : 1;
      const expected = waitsMs.map((_, failure) => Math.min(retryMaxMs, retryMinMs * 2 ** failure) * share);
      // The chance is a millionth short of the whole.
      expect(waitsMs.map((waitMs, failure) => (waitMs / (expected[failure] ?? 0)).toFixed(5))).toEqual(
        expected.map(() => "1.00000"),
      );
      expect(waitsMs.at(-1)).toBeCloseTo(retryMaxMs * share, -2);
    }
  });

  it("looks again later at what the broker could not give in a usable form, and stops when it is settled", async () => {
    const { clock, executor, rounds } = start();
    executor.nudge();
    await settle();
    rounds[0]?.resolve("try-later");
    await settle();
    expect(clock.pending()).toEqual([retryMinMs / 2]);
    await clock.advance(retryMinMs / 2);
    rounds[1]?.resolve("try-later");
    await settle();
    expect(clock.pending()).toEqual([retryMinMs]);
    await clock.advance(retryMinMs);
    rounds[2]?.resolve("settled");
    await settle();
    expect(clock.pending()).toEqual([]);
  });

  it("begins with the short wait again once a round succeeded", async () => {
    const { executor, rounds, clock } = start();
    for (const failure of [0, 1, 2]) {
      executor.nudge();
      await settle();
      rounds[failure]?.reject(unreachable);
      await settle();
    }
    executor.nudge();
    await settle();
    rounds[3]?.resolve("settled");
    await settle();
    expect(clock.pending()).toEqual([]);
    executor.nudge();
    await settle();
    rounds[4]?.reject(unreachable);
    await settle();
    expect(clock.pending()).toEqual([retryMinMs / 2]);
  });

  it("goes on after an error that nobody expected, says so, and looks again later", async () => {
    const { executor, rounds, said, clock } = start();
    executor.run(() => Promise.reject(new TypeError("x is undefined")));
    executor.run(() => Promise.reject(new TypeError("y is undefined")));
    await settle();
    expect(said).toEqual(["error: a step failed unexpectedly", "error: a step failed unexpectedly"]);
    expect(clock.pending().length).toBe(1);
    await clock.advance(retryMinMs * 2);
    expect(rounds.length).toBe(1);
  });

  it("drops what waits when it is stopped, and waits for what runs", async () => {
    const { executor, rounds, said, clock } = start();
    let ran = false;
    let isStopped = false;
    executor.nudge();
    executor.run(async () => void (ran = true));
    await settle();
    const stopped = executor.stop().then(() => (isStopped = true));
    await settle();
    expect(isStopped).toBe(false);
    rounds[0]?.reject(unreachable);
    await stopped;
    executor.nudge();
    executor.run(async () => void (ran = true));
    await settle();
    expect({ ran, rounds: rounds.length, said, waits: clock.pending() }).toEqual({
      ran: false,
      rounds: 1,
      said: [],
      waits: [],
    });
  });
});
