// Attack: a small blob that unpacks to more than the gateway has memory.
import { describe, expect, test } from "vitest";
import { applyDelta, compressFull, expandFull, makeDelta } from "../../src/protocol/compression.ts";

const mebibyte = 1024 * 1024;
const huge = new Uint8Array(64 * mebibyte);

describe("a decompression bomb", () => {
  test("is stopped at the signed length, whole", async () => {
    const bomb = await compressFull(huge);
    expect(bomb.byteLength).toBeLessThan(mebibyte / 8);
    const before = process.memoryUsage().rss;
    await expect(expandFull(bomb, mebibyte)).rejects.toMatchObject({ code: "too-large" });
    expect(process.memoryUsage().rss - before).toBeLessThan(32 * mebibyte);
  });

  test("is stopped at the signed length, as a delta", async () => {
    const base = new Uint8Array(mebibyte);
    const bomb = await makeDelta(base, huge);
    expect(bomb.byteLength).toBeLessThan(mebibyte / 8);
    await expect(applyDelta(base, bomb, mebibyte)).rejects.toMatchObject({ code: "too-large" });
  });
});
