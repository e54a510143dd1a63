// Deltas and whole components: what comes back, and what is refused instead of coming back wrong.
import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { compressFull, makeDelta } from "../../../src/protocol/compression.ts";
import { applyDelta, expandFull } from "../../support/expand.ts";

const base = randomBytes(3_000_000);
const next = Buffer.concat([base.subarray(0, 1_500_000), Buffer.from("three changed lines"), base.subarray(1_400_000)]);

it("rebuilds a component from a delta that is a small part of it", async () => {
  const delta = await makeDelta(base, next);
  expect(delta.length).toBeLessThan(2_000);
  expect(Buffer.from(await applyDelta(base, delta, next.length)).equals(next)).toBe(true);
});

it("refuses a delta on another base, even one that differs in one byte", async () => {
  const delta = await makeDelta(base, next);
  const other = Buffer.from(base);
  other[2_000_000] = (other[2_000_000] ?? 0) ^ 1;
  await expect(applyDelta(other, delta, next.length)).rejects.toMatchObject({ code: "corrupt" });
});

it("stops a bomb at the bound", async () => {
  const bomb = await compressFull(Buffer.alloc(50_000_000));
  expect(bomb.length).toBeLessThan(10_000);
  await expect(expandFull(bomb, 1_000_000)).rejects.toMatchObject({ code: "too-large" });
});

it("carries a whole component, and refuses one that is cut short or is not zstd", async () => {
  const full = await compressFull(next);
  expect(Buffer.from(await expandFull(full, next.length)).equals(next)).toBe(true);
  await expect(expandFull(full.subarray(0, -1), next.length)).rejects.toMatchObject({ code: "corrupt" });
  await expect(expandFull(Buffer.from("not zstd"), 100)).rejects.toMatchObject({ code: "corrupt" });
});
