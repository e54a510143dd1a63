// The clock a gateway acts on: its own until the director answered, the director's from then on.
import { describe, expect, test } from "vitest";
import { limits } from "../../../src/base/limits.ts";
import { silentLog } from "../../../src/base/log.ts";
import { createTrustedClock } from "../../../src/agent/trustedClock.ts";
import type { TrustedClock } from "../../../src/agent/trustedClock.ts";
import { agentBuiltMs } from "../../../src/protocol/version.ts";

interface Own {
  nowMs: number;
  monotonicMs: number;
}

function createClock(own: Own, answers: (number | undefined)[]): { clock: TrustedClock; asked: () => number } {
  let asked = 0;
  const clock = createTrustedClock({
    clock: {
      nowMs: () => own.nowMs,
      monotonicMs: () => own.monotonicMs,
      sleep: () => Promise.resolve(),
      after: () => () => {},
    },
    attest: async () => answers[asked++],
    log: silentLog,
  });
  return { clock, asked: () => asked };
}

const trueMs = agentBuiltMs + 86_400_000;

describe("the trusted clock", () => {
  test("is the gateway's own while nobody answers, but never before the agent was built", async () => {
    const own = { nowMs: trueMs, monotonicMs: 0 };
    const { clock } = createClock(own, [undefined]);
    await clock.ask();
    expect(clock.nowMs()).toBe(trueMs);
    own.nowMs = 0;
    expect(clock.nowMs()).toBe(agentBuiltMs);
    expect(clock.isLost).toBe(true);
  });

  test.each([
    ["1970", 0],
    ["ten years ahead", trueMs + 10 * 365 * 86_400_000],
  ])("is the director's once it answered, though the own one says %s", async (_name, wrongMs) => {
    const own = { nowMs: wrongMs, monotonicMs: 5 };
    const { clock } = createClock(own, [trueMs]);
    expect(await clock.ask()).toBe(true);
    own.monotonicMs += 1500;
    expect(clock.nowMs()).toBe(trueMs + 1500);
    expect(clock.isLost).toBe(false);
  });

  test("asks once at a time, and not again before it is due", async () => {
    const own = { nowMs: trueMs, monotonicMs: 0 };
    const { clock, asked } = createClock(own, [undefined, trueMs + 7, trueMs + 8]);
    await Promise.all([clock.ask(), clock.ask()]);
    await clock.ask();
    expect(asked()).toBe(1);
    own.monotonicMs = limits.time.askAgainMs;
    await clock.ask();
    expect(asked()).toBe(2);
    expect(clock.nowMs()).toBe(trueMs + 7);
    own.monotonicMs += limits.time.anchoredMs - 1;
    await clock.ask();
    expect(asked()).toBe(2);
    own.monotonicMs += 1;
    await clock.ask();
    expect(asked()).toBe(3);
  });
});
