// The process that rebuilds a component: exactly the bytes, a bound on them, an end in time, and none left behind.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRebuild, type RebuildError } from "../../../src/agent/rebuild.ts";
import type { RebuildJob } from "../../../src/agent/rebuildChild.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { limits } from "../../../src/base/limits.ts";
import { compressFull, makeDelta } from "../../../src/protocol/compression.ts";
import { createManualClock } from "../../support/manualClock.ts";
import { createTemporaryDirectory } from "../../support/temporaryDirectory.ts";

const base = Buffer.from(Array.from({ length: 200_000 }, (_, n) => `${n * 7919}`).join());
const next = Buffer.concat([Buffer.from("three new lines"), base]);
const cleanup = new AsyncDisposableStack();
let directory = "";

beforeAll(async () => {
  directory = cleanup.use(await createTemporaryDirectory()).path;
  await writeFile(join(directory, "base"), base);
  await writeFile(join(directory, "full"), await compressFull(next));
  await writeFile(join(directory, "delta"), await makeDelta(base, next));
  await writeFile(join(directory, "text"), "not zstd");
});
afterAll(() => cleanup.disposeAsync());

function job(blob: string, more: Partial<RebuildJob> = {}): RebuildJob {
  return { blobPath: join(directory, blob), lengthBytes: next.length, ...more };
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const collected: Uint8Array[] = [];
  for await (const piece of pieces) collected.push(piece);
  return Buffer.concat(collected);
}

describe("the process that rebuilds", () => {
  const rebuild = createRebuild(systemClock);

  it("gives out the whole, and what a delta makes of its base", async () => {
    expect((await collect(rebuild(job("full")))).equals(next)).toBe(true);
    const delta = job("delta", { basePath: join(directory, "base") });
    expect((await collect(rebuild(delta))).equals(next)).toBe(true);
  });

  it.each([
    ["more than the signed length", () => job("full", { lengthBytes: next.length - 1 }), "more than"],
    ["what is not zstd", () => job("text"), "not zstd"],
    ["a delta on the wrong base", () => job("delta", { basePath: join(directory, "text") }), "another base"],
  ])("fails on %s, with words", async (_what, make, words) => {
    const failed = collect(rebuild(make()));
    await expect(failed).rejects.toMatchObject({ code: "blob", message: expect.stringContaining(words) });
  });

  it("blames the disk, and not the blob, for a file that cannot be read", async () => {
    const run = async (rebuilt: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const piece of rebuilt) expect(piece.length).toBeGreaterThan(0);
    };
    const rebuild = createRebuild(systemClock);
    await expect(run(rebuild(job("gone")))).rejects.toMatchObject({ code: "ended" });
    await expect(run(rebuild(job("delta", { basePath: "/nowhere" })))).rejects.toMatchObject({ code: "ended" });
    await expect(run(rebuild(job("text")))).rejects.toMatchObject({ code: "blob" });
  });

  it("is ended at its deadline, which is nobody's fault", async () => {
    const clock = createManualClock();
    const pieces = createRebuild(clock)(job("full"))[Symbol.asyncIterator]();
    await pieces.next();
    await clock.advance(limits.blob.rebuildMs);
    const failed = await drain(pieces).catch((error: unknown) => error as RebuildError);
    expect(failed).toMatchObject({ code: "ended", retryable: true });
    expect(clock.pending()).toEqual([]);
  });

  it("ends with its parent, also when that is killed in the middle of it", async () => {
    const script = new URL("../../support/rebuildProcess.ts", import.meta.url).pathname;
    const parent = spawn(process.execPath, [script, join(directory, "full"), String(next.length)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const child = Number(line.toString());
    expect(await isAlive(child)).toBe(true);
    parent.kill("SIGKILL");
    await expect.poll(() => isAlive(child)).toBe(false);
  });
});

async function drain(pieces: AsyncIterator<Uint8Array>): Promise<void> {
  while ((await pieces.next()).done !== true);
}

/** One that ended and that nobody has waited for yet does not count. */
async function isAlive(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ") Z");
  return !/\) [ZX]/.test(status);
}
