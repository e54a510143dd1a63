// How a component gets into the store: as a delta when that works, whole when it does not, and never as anything else.
import { describe, expect, it } from "vitest";
import { deliver, type FetchedBlob } from "../../../src/agent/deliver.ts";
import { RebuildError } from "../../../src/agent/rebuild.ts";
import { sha256Hex } from "../../../src/base/hash.ts";
import { silentLog } from "../../../src/base/log.ts";
import { offlineError } from "../../../src/link/link.ts";
import { compressFull, makeDelta } from "../../../src/protocol/compression.ts";
import { refuse, type Refusal } from "../../../src/protocol/refusal.ts";
import type { BlobReference, VerifiedTarget } from "../../../src/protocol/release.ts";
import { openComponentStore } from "../../../src/store/componentStore.ts";
import { rebuildIn } from "../../support/delivery.ts";
import { installBytes, readInstalled } from "../../support/installed.ts";
import { createMemoryDisk } from "../../support/memoryDisk.ts";

const base = new TextEncoder().encode(Array.from({ length: 500 }, (_, n) => `${n * 7919}`).join());
const next = new TextEncoder().encode(`${new TextDecoder().decode(base)} and three more lines`);

function referTo(bytes: Uint8Array): BlobReference {
  return { sha256: sha256Hex(bytes), length: bytes.length };
}

function targetOf(bytes: Uint8Array, full: Uint8Array, deltas: VerifiedTarget["release"]["deltas"]): VerifiedTarget {
  const release = { component: "boiler", version: "1.1.0", counter: 2, full: referTo(full), deltas };
  return { path: "boiler/1.1.0.wasm", lengthBytes: bytes.length, sha256: sha256Hex(bytes), release };
}

async function start({ isBaseInstalled = true } = {}) {
  const disk = createMemoryDisk();
  const store = await openComponentStore(disk, "/components", silentLog);
  const full = await compressFull(next);
  const delta = await makeDelta(base, next);
  const target = targetOf(next, full, { [sha256Hex(base)]: referTo(delta) });
  if (isBaseInstalled) {
    await installBytes(store, base);
  }
  const blobs = new Map([
    [sha256Hex(full), full],
    [sha256Hex(delta), delta],
  ]);
  const fetched: string[] = [];
  const context = {
    store,
    log: silentLog,
    fetchBlob: async ({ sha256 }: BlobReference): Promise<FetchedBlob | Refusal> => {
      fetched.push(sha256 === sha256Hex(full) ? "full" : "delta");
      const blob = blobs.get(sha256);
      if (blob === undefined) return refuse("delivery.missing", "not there", "Publish it.");
      const path = `/downloads/${sha256}`;
      disk.files.set(path, blob);
      return { path, remove: async () => disk.remove(path), [Symbol.asyncDispose]: async () => undefined };
    },
    rebuild: rebuildIn(disk),
  };
  return { disk, store, full, delta, target, blobs, fetched, context };
}

describe("deliver", () => {
  it("fetches a delta alone when its base is installed", async () => {
    const { target, context, fetched, store, disk } = await start();
    expect(await deliver(target, context)).toBeUndefined();
    expect(fetched).toEqual(["delta"]);
    expect(Buffer.from((await readInstalled(disk, store, target.sha256)) ?? []).equals(next)).toBe(true);
  });

  it("fetches the whole when no base is installed", async () => {
    const { target, context, fetched, store, disk } = await start({ isBaseInstalled: false });
    expect(await deliver(target, context)).toBeUndefined();
    expect(fetched).toEqual(["full"]);
    expect(Buffer.from((await readInstalled(disk, store, target.sha256)) ?? []).equals(next)).toBe(true);
  });

  it("fetches nothing that is in the store, and again what rotted there", async () => {
    const { target, context, fetched, disk } = await start();
    await deliver(target, context);
    expect(await deliver(target, context)).toBeUndefined();
    expect(fetched.length).toBe(1);
    disk.files.set(`/components/${target.sha256}.wasm`, new Uint8Array(3));
    expect(await deliver(target, context)).toBeUndefined();
    expect(fetched.length).toBe(2);
  });

  it.each([
    ["rebuilds other bytes", async () => makeDelta(base, base)],
    ["is no delta at all", async () => new Uint8Array(9)],
    ["is not there", async () => undefined],
  ])("falls back to the whole when the delta %s", async (_case, forge) => {
    const { target, context, fetched, store, disk, blobs, delta } = await start();
    const forged = await forge();
    if (forged === undefined) blobs.delete(sha256Hex(delta));
    else blobs.set(sha256Hex(delta), forged);
    expect(await deliver(target, context)).toBeUndefined();
    expect(fetched).toEqual(["delta", "full"]);
    expect(Buffer.from((await readInstalled(disk, store, target.sha256)) ?? []).equals(next)).toBe(true);
  });

  it.each([
    ["other bytes of the same length", async () => compressFull(next.map((byte) => byte ^ 1))],
    ["fewer bytes", async () => compressFull(next.subarray(1))],
    ["more bytes", async () => compressFull(new Uint8Array(next.length + 1))],
    ["no compressed bytes", async () => next],
  ])("refuses a whole that holds %s, and stores nothing", async (_case, forge) => {
    const { target, context, store, disk, blobs, full } = await start({ isBaseInstalled: false });
    blobs.set(sha256Hex(full), await forge());
    expect(await deliver(target, context)).toMatchObject({ rule: "delivery.hash" });
    expect(store.has(target.sha256)).toBe(false);
    expect([...disk.files.keys()]).toEqual([]);
  });

  it("rejects when the process that rebuilds is lost, keeps the blob, and is done with it the next time", async () => {
    const { target, context, store, disk } = await start({ isBaseInstalled: false });
    const lost = async function* (): AsyncGenerator<Uint8Array> {
      yield next.subarray(0, 10);
      throw new RebuildError("ended", "killed", { retryable: true });
    };
    await expect(deliver(target, { ...context, rebuild: lost })).rejects.toMatchObject({ code: "ended" });
    expect(store.has(target.sha256)).toBe(false);
    expect([...disk.files.keys()]).toEqual([`/downloads/${target.release.full.sha256}`]);
    expect(await deliver(target, context)).toBeUndefined();
    expect([...disk.files.keys()]).toEqual([`/components/${target.sha256}.wasm`]);
  });

  it("rejects while the broker is not reached, so that it is tried again", async () => {
    const { target, context, store } = await start();
    const offline = { ...context, fetchBlob: () => Promise.reject(offlineError()) };
    await expect(deliver(target, offline)).rejects.toMatchObject({ code: "offline", retryable: true });
    expect(store.has(target.sha256)).toBe(false);
    expect(await deliver(target, context)).toBeUndefined();
  });
});
