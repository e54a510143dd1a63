// Attack: the chunks of a blob are all genuine, and in another order, or from another blob.
import { describe, expect, it } from "vitest";
import { sha256Hex } from "../../src/base/hash.ts";
import { limits } from "../../src/base/limits.ts";
import { fetchBlob } from "../../src/link/fetchBlob.ts";
import { createTopics } from "../../src/protocol/topics.ts";
import { createMapLink } from "../support/mapLink.ts";

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
function fetchServed(served: string): ReturnType<typeof fetchBlob> {
  const retained = new Map<string, Uint8Array>();
  for (const [blob, letters] of [
    [asked, served],
    [other, "xyz"],
  ] as const)
    for (const [chunk, letter] of [...letters].entries())
      retained.set(topics.blob(blob.reference.sha256, chunk), Buffer.alloc(chunkSizeBytes, letter));
  return fetchBlob(
    createMapLink(async (topic) => retained.get(topic)),
    topics,
    asked.reference,
  );
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
