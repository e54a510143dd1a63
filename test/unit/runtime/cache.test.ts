// The cache of transpiled components: made once, made anew when torn, and never fooled by bytes that are no component.
import { mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { sha256Hex } from "../../../src/base/hash.ts";
import { refuse } from "../../../src/protocol/refusal.ts";
import { openTranspileCache, type TranspileCache } from "../../../src/runtime/cache.ts";
import type { ComponentShape } from "../../../src/runtime/shape.ts";
import { startTranspileRun } from "../../../src/runtime/transpile.ts";
import { writeComponent } from "../../support/componentFile.ts";
import { buildGuest } from "../../support/guests.ts";
import { createManualClock, settle } from "../../support/manualClock.ts";
import { createTemporaryDirectory } from "../../support/temporaryDirectory.ts";

const wasm = [0x00, 0x61, 0x73, 0x6d];
let echo: Uint8Array;
let directory: Awaited<ReturnType<typeof createTemporaryDirectory>>;
let cache: TranspileCache;

beforeAll(async () => {
  echo = await buildGuest("echo");
});

beforeEach(async () => {
  directory = await createTemporaryDirectory();
  cache = await openTranspileCache(directory.path, systemClock);
});

afterEach(() => directory[Symbol.asyncDispose]());

describe("a component", () => {
  test("is transpiled once and then taken from the disk", async () => {
    const first = await prepare(echo);
    expect(first).toMatchObject({ admitted: { kind: "admitted" } });
    const [entry = ""] = await readdir(directory.path);
    // A mark that only a second transpile would remove.
    const manifest = join(directory.path, entry, "manifest.json");
    const before = await readFile(manifest, "utf8");
    await poisonTranspiler(async () => expect(await prepare(echo)).toEqual(first));
    expect(await readFile(manifest, "utf8")).toBe(before);
    expect(await readdir(directory.path)).toEqual([entry]);
  });

  test.each(["component.mjs", "component.core.wasm", "component.wit", "manifest.json"])(
    "is transpiled anew when a power cut tore its %s",
    async (name) => {
      const first = await prepare(echo);
      const [entry = ""] = await readdir(directory.path);
      const path = join(directory.path, entry, name);
      const whole = await readFile(path);
      await truncate(path, Math.floor(whole.length / 2));
      expect(await prepare(echo)).toEqual(first);
      expect(await readFile(path)).toEqual(whole);
    },
  );

  test("is transpiled anew when one of its files is gone", async () => {
    await prepare(echo);
    const [entry = ""] = await readdir(directory.path);
    await rm(join(directory.path, entry, "component.core.wasm"));
    expect(await prepare(echo)).toMatchObject({ admitted: { kind: "admitted" } });
    expect(await readdir(join(directory.path, entry))).toContain("component.core.wasm");
  });

  test("is not transpiled when it is not admitted, neither fresh nor from the disk", async () => {
    const refusal = refuse("admission.import", "it imports too much.", "Import less.");
    expect(await prepare(echo, { as: () => refusal })).toEqual(refusal);
    expect(await readdir(directory.path)).toEqual([]);
    await prepare(echo);
    expect(await prepare(echo, { as: () => refusal })).toEqual(refusal);
  });
});

describe("the directory", () => {
  test("loses what an earlier version or a power cut left, when it is opened", async () => {
    await mkdir(join(directory.path, "making-abcdef"));
    await writeFile(join(directory.path, `${"0".repeat(64)}.jco-0.0.1`), "");
    await prepare(echo);
    await openTranspileCache(directory.path, systemClock);
    expect(await readdir(directory.path)).toEqual([expect.stringContaining(sha256Hex(echo))]);
  });

  test("keeps only what is still wanted", async () => {
    await prepare(echo);
    await cache.prune(new Set([sha256Hex(echo)]));
    expect(await readdir(directory.path)).toHaveLength(1);
    await cache.prune(new Set());
    expect(await readdir(directory.path)).toEqual([]);
  });
});

describe("bytes that are no component", () => {
  test.each([
    ["nothing at all", [], "unexpected end-of-file"],
    ["text", [...Buffer.from("world root { export wasi:cli/run@0.2.12; }")], "not a WebAssembly component"],
    ["a core module", [...wasm, 1, 0, 0, 0], "attempted to parse a wasm module with a component parser"],
    ["the beginning of a component", [...wasm, 0x0d, 0x00], "not a WebAssembly component"],
    ["random bytes", Array.from({ length: 4096 }, (_, index) => (index * 7919) % 251), "not a WebAssembly component"],
    ["40 MB of zeros", new Uint8Array(40 * 1024 * 1024), "not a WebAssembly component"],
  ])("are refused when they are %s", async (_what, bytes, seen) => {
    const outcome = await prepare(Uint8Array.from(bytes));
    expect(outcome).toMatchObject({ kind: "refused", rule: "admission.malformed" });
    expect((outcome as { seen: string }).seen).toContain(seen);
    expect(await readdir(directory.path)).toEqual([]);
  });
});

describe("the transpile process", () => {
  test("is stopped at its deadline, and nothing is left of the attempt", async () => {
    const clock = createManualClock();
    const impatient = await openTranspileCache(directory.path, clock, 50);
    const preparing = prepare(echo, { in: impatient });
    while (clock.pending().length === 0) await settle();
    await clock.advance(50);
    expect(await preparing).toMatchObject({ kind: "refused", rule: "admission.limits" });
    expect(await readdir(directory.path)).toEqual([]);
    expect(clock.pending()).toEqual([]);
    expect(await prepare(echo)).toMatchObject({ admitted: { kind: "admitted" } });
  });

  test("that cannot be started is a failure of the one who asked it, whenever it is asked", async () => {
    await poisonTranspiler(async () => {
      using run = startTranspileRun(systemClock);
      await settle();
      await expect(run.inspect("/nowhere")).rejects.toMatchObject({ code: "stopped", retryable: true });
      // And never a refusal: the component may be as good as any.
      await expect(prepare(echo)).rejects.toMatchObject({ code: "stopped" });
    });
  });
});

/** While it runs, no process can be started: the path of Node leads nowhere. */
async function poisonTranspiler(task: () => Promise<void>): Promise<void> {
  const { execPath } = process;
  process.execPath = join(directory.path, "no-such-node");
  try {
    await task();
  } finally {
    process.execPath = execPath;
  }
}

const admit = (shape: ComponentShape): { readonly kind: "admitted"; readonly shape: ComponentShape } => ({
  kind: "admitted",
  shape,
});

async function prepare(
  bytes: Uint8Array,
  { in: asked = cache, as: decide = admit }: { in?: TranspileCache; as?: (shape: ComponentShape) => unknown } = {},
): Promise<unknown> {
  await using file = await writeComponent(bytes);
  return await asked.prepare(file, decide);
}
