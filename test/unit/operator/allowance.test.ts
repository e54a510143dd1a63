// What a gateway may ask for: a burst, then a rate, each for itself, in bounded memory.
import { expect, test } from "vitest";
import type { Clock } from "../../../src/base/clock.ts";
import { createAllowance } from "../../../src/operator/serve/allowance.ts";

function createTime(): { clock: Clock; pass: (ms: number) => void } {
  let nowMs = 0;
  const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => {}, after: () => () => {} };
  return { clock, pass: (ms) => void (nowMs += ms) };
}

test("a burst is granted, then the rate, and no more than the burst is ever saved up", () => {
  const { clock, pass } = createTime();
  const allowance = createAllowance({ burst: 10, perSecond: 2, remembered: 5 }, clock);
  expect(allowance.take("a", 10)).toBe(true);
  expect(allowance.take("a", 1)).toBe(false);
  expect(allowance.take("b", 10)).toBe(true);
  pass(1000);
  expect(allowance.take("a", 3)).toBe(false);
  expect(allowance.take("a", 2)).toBe(true);
  pass(3_600_000);
  expect(allowance.take("a", 11)).toBe(false);
  expect(allowance.take("a", 10)).toBe(true);
});

test("only so many names are remembered, the last ones", () => {
  const { clock } = createTime();
  const allowance = createAllowance({ burst: 1, perSecond: 0, remembered: 2 }, clock);
  for (const name of ["a", "b", "a", "c"]) allowance.take(name, 1);
  expect(allowance.take("a", 1)).toBe(false);
  expect(allowance.take("b", 1)).toBe(true);
});
