// Attack: a small blob that unpacks to more than the gateway has memory.
import { describe, expect, test } from "vitest";
import { compressFull, makeDelta } from "../../src/protocol/compression.ts";
import { applyDelta, expandFull } from "../support/expand.ts";

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
    // It asks for a window that nothing of the signed length needs.
    await expect(applyDelta(base, bomb, mebibyte)).rejects.toMatchObject({ code: "corrupt" });
    const modest = await makeDelta(base, huge.subarray(0, 4 * mebibyte));
    await expect(applyDelta(base, modest, mebibyte)).rejects.toMatchObject({ code: "too-large" });
  });
});
