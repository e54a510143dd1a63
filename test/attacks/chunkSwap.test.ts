// Attack: the chunks of a blob are all genuine, and in another order, or from another blob.
import { describe, expect, it } from "vitest";
import { sha256Hex } from "../../src/base/hash.ts";
import { limits } from "../../src/base/limits.ts";
import { isRefusal } from "../../src/protocol/refusal.ts";
import { createTopics } from "../../src/protocol/topics.ts";
import { openDelivery } from "../support/delivery.ts";
import { createMapLink } from "../support/mapLink.ts";
import { createMemoryDisk } from "../support/memoryDisk.ts";

const topics = createTopics();
const { chunkSizeBytes } = limits.blob;

/** Three whole chunks, each of one letter. */
function blobOf(letters: string) {
  const bytes = Buffer.concat([...letters].map((letter) => Buffer.alloc(chunkSizeBytes, letter)));
  return { bytes, reference: { sha256: sha256Hex(bytes), length: bytes.length } };
}

const asked = blobOf("abc");
const other = blobOf("xyz");

/** The broker holds both blobs; `served` are the letters it answers with for the chunks of the first. */
async function fetchServed(served: string): Promise<unknown> {
  const retained = new Map<string, Uint8Array>();
  for (const [blob, letters] of [
    [asked, served],
    [other, "xyz"],
  ] as const)
    for (const [chunk, letter] of [...letters].entries())
      retained.set(topics.blob(blob.reference.sha256, chunk), Buffer.alloc(chunkSizeBytes, letter));
  const disk = createMemoryDisk();
  const link = createMapLink(async (topic) => retained.get(topic));
  const { fetchBlob } = await openDelivery({ disk, directory: "/downloads", link });
  const fetched = await fetchBlob(asked.reference);
  return isRefusal(fetched) ? fetched : disk.files.get(fetched.path);
}

describe("swapped chunks", () => {
  it("are told from the right ones", async () => {
    expect(await fetchServed("abc")).toEqual(Uint8Array.from(asked.bytes));
  });

  it.each([
    ["two of one blob", "bac"],
    ["one twice", "aac"],
    ["one of another blob", "abz"],
    ["all of another blob", "xyz"],
  ])("are refused: %s", async (_, served) => {
    expect(await fetchServed(served)).toMatchObject({ kind: "refused", rule: "delivery.hash" });
  });
});
