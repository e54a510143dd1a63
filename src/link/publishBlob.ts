// Puts one content-addressed blob on the broker as retained chunks.
import { sha256Hex } from "../base/hash.ts";
import { limits } from "../base/limits.ts";
import type { BlobReference } from "../protocol/release.ts";
import type { Topics } from "../protocol/topics.ts";
import { countChunks } from "./fetchChunks.ts";
import { runInWindow } from "./inWindow.ts";
import type { Message } from "./link.ts";

/** A link, or whatever else publishes: the broker's acknowledgement resolves it. */
interface Publisher {
  publish(message: Message): Promise<void>;
}

const { chunkSizeBytes, windowChunks } = limits.blob;

/**
 * Resolves when the broker acknowledged every chunk. Rejects with the first LinkError; calling it again publishes the
 * same chunks at the same topics, so a caller simply retries.
 */
export async function publishBlob(link: Publisher, topics: Topics, bytes: Uint8Array): Promise<BlobReference> {
  const reference = { sha256: sha256Hex(bytes), length: bytes.length };
  await runInWindow(countChunks(bytes.length), windowChunks, async (index) => {
    const payload = bytes.subarray(index * chunkSizeBytes, (index + 1) * chunkSizeBytes);
    await link.publish({ topic: topics.blob(reference.sha256, index), payload, retain: true });
  });
  return reference;
}
