// Components survive the way there and back, and nothing unpacks to more than it may.
import { describe, expect, test } from "vitest";
import { sha256Hex } from "../../../src/base/hash.ts";
import { applyDelta, compressFull, expandFull, makeDelta } from "../../../src/protocol/compression.ts";

const base = new TextEncoder().encode(
  Array.from({ length: 4000 }, (_, line) => `line ${line} of ${line * 7919}`).join("\n"),
);
const next = new TextEncoder().encode(new TextDecoder().decode(base).replace("line 2000", "a changed line 2000"));

describe("compression", () => {
  test("rebuilds a component from its full blob", async () => {
    expect(sha256Hex(await expandFull(await compressFull(next), next.byteLength))).toBe(sha256Hex(next));
  });

  test("rebuilds a component from the installed one and a delta of a few bytes", async () => {
    const delta = await makeDelta(base, next);
    expect(delta.byteLength).toBeLessThan(200);
    expect(sha256Hex(await applyDelta(base, delta, next.byteLength))).toBe(sha256Hex(next));
  });

  test("notices a base that differs in one byte", async () => {
    const delta = await makeDelta(base, next);
    const other = Uint8Array.from(base).fill(33, 100, 101);
    await expect(applyDelta(other, delta, next.byteLength)).rejects.toMatchObject({ code: "corrupt" });
  });

  test("refuses a truncated blob", async () => {
    const full = await compressFull(next);
    await expect(expandFull(full.subarray(0, full.byteLength / 2), next.byteLength)).rejects.toMatchObject({
      code: "corrupt",
    });
  });
});
