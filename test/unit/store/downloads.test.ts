// A download that is interrupted anywhere goes on from what is durably there, and never gives out bytes that are torn.
import { describe, expect, it } from "vitest";
import { fetchBlob } from "../../../src/agent/fetchBlob.ts";
import { limits } from "../../../src/base/limits.ts";
import { sha256Hex } from "../../../src/base/hash.ts";
import { isRefusal } from "../../../src/protocol/refusal.ts";
import type { BlobReference } from "../../../src/protocol/release.ts";
import { type Download, openDownloads } from "../../../src/store/downloads.ts";
import { createFaultDisk, type Fault, type FaultDisk, survivals } from "../../support/faultDisk.ts";

const { chunkSizeBytes, chunksKept } = limits.blob;
const chunks = 2 * chunksKept + 3;
const bytes = Uint8Array.from({ length: chunks * chunkSizeBytes - 100 }, (_, n) => (n * 7919) >> 3);
const blob: BlobReference = { sha256: sha256Hex(bytes), length: bytes.length };

function chunkOf(index: number): Uint8Array {
  return bytes.subarray(index * chunkSizeBytes, (index + 1) * chunkSizeBytes);
}

/** Puts everything that is missing, and counts it. */
async function fill(download: Download, asked: number[], serve = chunkOf): Promise<undefined> {
  for (const chunk of download.missing()) {
    asked.push(chunk);
    await download.put(chunk, serve(chunk));
  }
}

async function fetchFrom(disk: FaultDisk, asked: number[], serve = chunkOf): ReturnType<typeof fetchBlob> {
  const downloads = await openDownloads(disk, "/downloads");
  return fetchBlob(blob, { downloads, fetchChunks: (_blob, download) => fill(download, asked, serve) });
}

async function expectWhole(disk: FaultDisk, outcome: Awaited<ReturnType<typeof fetchBlob>>): Promise<void> {
  if (isRefusal(outcome)) throw new Error(outcome.seen);
  expect(Buffer.from((await disk.readFile(outcome.path)) ?? []).equals(bytes)).toBe(true);
}

const kinds = [{ kind: "fail" }, ...survivals.map((survival) => ({ kind: "cut", survival }) as const)] as const;

describe.each(kinds)("a download with %o at every operation", { timeout: 60_000 }, (kind) => {
  it("goes on after it, asks for little again, and ends with exactly the bytes", async () => {
    let most = 0;
    for (let at = 1; ; at += 1) {
      const disk = createFaultDisk({ ...kind, at } as Fault);
      const before: number[] = [];
      await fetchFrom(disk, before).catch(() => undefined);
      const after: number[] = [];
      const second = disk.reboot(kind.kind === "cut" ? kind.survival : "dropped");
      await expectWhole(second, await fetchFrom(second, after));
      if (!disk.hit) break;
      const again = before.filter((chunk) => after.includes(chunk)).length;
      most = Math.max(most, again);
    }
    // A chunk was in the air when the power went.
    expect(most).toBeLessThanOrEqual(chunksKept + 1);
    expect(most).toBeGreaterThan(1);
  });
});

describe("a download", () => {
  it("asks for nothing that is durably there", async () => {
    const disk = createFaultDisk();
    const downloads = await openDownloads(disk, "/downloads");
    await using download = await downloads.open(blob);
    for (let chunk = 0; chunk < chunksKept + 5; chunk += 1) await download.put(chunk, chunkOf(chunk));
    const asked: number[] = [];
    const rebooted = disk.reboot();
    await expectWhole(rebooted, await fetchFrom(rebooted, asked));
    expect(asked).toEqual(Array.from({ length: chunks - chunksKept }, (_, n) => chunksKept + n));
  });

  it("starts over once when what an earlier life left is torn, and is right then", async () => {
    const disk = createFaultDisk();
    const downloads = await openDownloads(disk, "/downloads");
    await using download = await downloads.open(blob);
    for (let chunk = 0; chunk < chunksKept; chunk += 1) await download.put(chunk, chunkOf(chunk));
    disk.damage(download.path, 3 * chunkSizeBytes + 7);
    const asked: number[] = [];
    await expectWhole(disk, await fetchFrom(disk, asked));
    expect(asked.length).toBe(chunks - chunksKept + chunks);
  });

  it("refuses what the broker serves wrong, at once or after starting over once, and forgets it", async () => {
    const wrong = (chunk: number): Uint8Array => (chunk === 5 ? new Uint8Array(chunkSizeBytes) : chunkOf(chunk));
    const disk = createFaultDisk();
    const first: number[] = [];
    expect(await fetchFrom(disk, first, wrong)).toMatchObject({ rule: "delivery.hash" });
    expect(first.length).toBe(chunks);
    const downloads = await openDownloads(disk, "/downloads");
    await using download = await downloads.open(blob);
    expect(download.missing().length).toBe(chunks);
    for (let chunk = 0; chunk < chunksKept; chunk += 1) await download.put(chunk, wrong(chunk));
    const second: number[] = [];
    expect(await fetchFrom(disk, second, wrong)).toMatchObject({ rule: "delivery.hash" });
    expect(second.length).toBe(chunks - chunksKept + chunks);
  });

  it("is the only one on the disk, and gone when it is removed", async () => {
    const disk = createFaultDisk();
    const downloads = await openDownloads(disk, "/downloads");
    await using abandoned = await downloads.open({ sha256: "a".repeat(64), length: 3 * chunksKept * chunkSizeBytes });
    for (let chunk = 0; chunk < chunksKept; chunk += 1) await abandoned.put(chunk, chunkOf(chunk));
    expect(await disk.list("/downloads")).toHaveLength(2);
    await using download = await downloads.open(blob);
    expect(await disk.list("/downloads")).toEqual([`${blob.sha256}.blob`]);
    expect(await downloads.reservedBytes(blob)).toBe(blob.length);
    await fill(download, []);
    await download.remove();
    expect(await disk.list("/downloads")).toEqual([]);
    expect(await downloads.reservedBytes(blob)).toBe(0);
  });

  it("believes no list of chunks whose file is gone", async () => {
    const disk = createFaultDisk();
    const downloads = await openDownloads(disk, "/downloads");
    await using lost = await downloads.open(blob);
    for (let chunk = 0; chunk < chunksKept; chunk += 1) await lost.put(chunk, chunkOf(chunk));
    await disk.remove(lost.path);
    const asked: number[] = [];
    await expectWhole(disk, await fetchFrom(disk, asked));
    expect(asked.length).toBe(chunks);
  });

  it("is not opened over a file of another length", async () => {
    const disk = createFaultDisk();
    const downloads = await openDownloads(disk, "/downloads");
    await using short = await downloads.open({ ...blob, length: 100 });
    await short.put(0, new Uint8Array(100));
    const asked: number[] = [];
    await expectWhole(disk, await fetchFrom(disk, asked));
    expect(asked.length).toBe(chunks);
  });

  it("is refused before anything is made when it is larger than any component", async () => {
    const disk = createFaultDisk();
    const downloads = await openDownloads(disk, "/downloads");
    const large = { ...blob, length: limits.blob.componentMaxBytes + 1 };
    const fetched = fetchBlob(large, { downloads, fetchChunks: () => Promise.reject(new Error("asked")) });
    expect(await fetched).toMatchObject({ rule: "delivery.size" });
    expect(disk.operations).toBe(0);
  });
});
