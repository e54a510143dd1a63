// Attack: a delta that fits its signed hash is meant for another base, or unfolds over the right one to something else.
import { describe, expect, it } from "vitest";
import { deliver } from "../../src/agent/deliver.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { silentLog } from "../../src/base/log.ts";
import { compressFull, makeDelta } from "../../src/protocol/compression.ts";
import type { BlobReference, VerifiedTarget } from "../../src/protocol/release.ts";
import { openComponentStore } from "../../src/store/componentStore.ts";
import { createTopics } from "../../src/protocol/topics.ts";
import { createWasm } from "../support/fleet.ts";
import { openDelivery } from "../support/delivery.ts";
import { installBytes } from "../support/installed.ts";
import { createMapLink } from "../support/mapLink.ts";
import { createMemoryDisk } from "../support/memoryDisk.ts";

const [base, different, next, malware] = ["base", "another", "next", "evil"].map((seed) => createWasm(seed)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
];

/** A gateway that has the base, and a release whose delta over it is `delta`; the whole is served only if `isWhole`. */
async function update(delta: Uint8Array, isWhole: boolean) {
  const full = await compressFull(next);
  const blobs = new Map([delta, ...(isWhole ? [full] : [])].map((blob) => [sha256Hex(blob), blob]));
  const refer = (blob: Uint8Array): BlobReference => ({ sha256: sha256Hex(blob), length: blob.length });
  const targetOf = (bytes: Uint8Array, deltas: VerifiedTarget["release"]["deltas"]): VerifiedTarget => {
    const release = { component: "boiler", version: "1.1.0", counter: 2, full: refer(full), deltas };
    return { path: "boiler/1.1.0.wasm", lengthBytes: bytes.length, sha256: sha256Hex(bytes), release };
  };
  const disk = createMemoryDisk();
  const store = await openComponentStore(disk, "/components", silentLog);
  await installBytes(store, base);
  const chunks = new Map([...blobs].map(([sha256, blob]) => [createTopics().blob(sha256, 0), blob]));
  const link = createMapLink(async (topic) => chunks.get(topic));
  const delivery = await openDelivery({ disk, directory: "/downloads", link });
  const target = targetOf(next, { [sha256Hex(base)]: refer(delta) });
  const refusal = await deliver(target, { store, log: silentLog, ...delivery });
  const stored = [...disk.files.keys()]
    .filter((path) => path.endsWith(".wasm"))
    .map((path) => path.replace(/.*\/|\.wasm/g, ""))
    .sort();
  return { refusal, stored };
}

describe("a delta that does not lead from the installed base to the signed component", () => {
  it.each([
    ["made over a different base", () => makeDelta(different, next)],
    ["made over the base, to something else of the same length", () => makeDelta(base, malware)],
    ["that is no delta at all", () => compressFull(malware)],
    ["that is not zstd", async () => Buffer.from("not zstd")],
  ])("%s is of no use, and the whole is fetched instead", async (_, make) => {
    const delta = await make();
    expect(await update(delta, true)).toEqual({
      refusal: undefined,
      stored: [sha256Hex(base), sha256Hex(next)].sort(),
    });
    const { refusal, stored } = await update(delta, false);
    expect(refusal).toMatchObject({ kind: "refused", rule: "delivery.missing" });
    expect(stored).toEqual([sha256Hex(base)]);
  });
});
