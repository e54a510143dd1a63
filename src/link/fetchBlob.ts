// Downloads one content-addressed blob chunk by chunk, and gives out nothing but the bytes its address names.
import { sha256Hex } from "../base/hash.ts";
import { limits } from "../base/limits.ts";
import { isRefusal, type Refusal, refuse } from "../protocol/refusal.ts";
import type { BlobReference } from "../protocol/release.ts";
import type { Topics } from "../protocol/topics.ts";
import { runInWindow } from "./inWindow.ts";
import { type Link, LinkError } from "./link.ts";
import { whenOnline } from "./whenOnline.ts";

export interface FetchBlobOptions {
  readonly signal?: AbortSignal;
  /** Called after every chunk with the bytes that are here. */
  readonly onProgress?: (receivedBytes: number) => void;
}

const { chunkSizeBytes, windowChunks, componentMaxBytes, chunkTimeoutMs, chunkAttempts } = limits.blob;

/**
 * Resolves to exactly `reference.length` bytes whose sha-256 is `reference.sha256`, or to a refusal (`delivery.size`,
 * `delivery.missing`, `delivery.hash`). Each chunk is tried `limits.blob.chunkAttempts` times; a dropped connection
 * costs no attempt: the download waits until the link is back and goes on. Rejects with the signal's reason, or with
 * LinkError `closed`. Chunks are held in memory, so after a power cut the download starts again.
 */
export async function fetchBlob(
  link: Link,
  topics: Topics,
  reference: BlobReference,
  options: FetchBlobOptions = {},
): Promise<Uint8Array | Refusal> {
  if (reference.length > componentMaxBytes) return tooLarge(reference);
  const bytes = new Uint8Array(reference.length);
  const abandon = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, abandon.signal]) : abandon.signal;
  let receivedBytes = 0;
  let refusal: Refusal | undefined;
  const take = async (index: number): Promise<void> => {
    const chunk = await fetchChunk(link, topics.blob(reference.sha256, index), expectedBytes(reference, index), signal);
    if (isRefusal(chunk)) {
      refusal ??= chunk;
      abandon.abort(chunk);
      return;
    }
    bytes.set(chunk, index * chunkSizeBytes);
    receivedBytes += chunk.length;
    options.onProgress?.(receivedBytes);
  };
  try {
    await runInWindow(countChunks(reference.length), windowChunks, take);
  } catch (thrown) {
    if (refusal === undefined) throw thrown;
  }
  return refusal ?? checkHash(bytes, reference);
}

export function countChunks(lengthBytes: number): number {
  return Math.ceil(lengthBytes / chunkSizeBytes);
}

function expectedBytes(reference: BlobReference, index: number): number {
  return Math.min(chunkSizeBytes, reference.length - index * chunkSizeBytes);
}

async function fetchChunk(
  link: Link,
  topic: string,
  lengthBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array | Refusal> {
  let attempts = 0;
  while (attempts < chunkAttempts) {
    await whenOnline(link, signal);
    try {
      const chunk = await link.fetch(topic, { maxBytes: lengthBytes, timeoutMs: chunkTimeoutMs, signal });
      return chunk.length === lengthBytes ? chunk : wrongLength(topic, lengthBytes, `${chunk.length}`);
    } catch (thrown) {
      if (!(thrown instanceof LinkError)) throw thrown;
      if (thrown.code === "too-large") return wrongLength(topic, lengthBytes, "more");
      if (!thrown.retryable) throw thrown;
      if (thrown.code === "timeout") attempts += 1;
    }
  }
  return refuse(
    "delivery.missing",
    `The chunk at ${topic} did not come in ${attempts} attempts.`,
    "Publish the release again; the broker may have lost its retained messages.",
  );
}

function checkHash(bytes: Uint8Array, reference: BlobReference): Uint8Array | Refusal {
  const sha256 = sha256Hex(bytes);
  if (sha256 === reference.sha256) return bytes;
  return refuse(
    "delivery.hash",
    `The chunks of blob ${reference.sha256} together have the sha-256 ${sha256}.`,
    "Somebody changed what the broker holds: publish the release again and find out who may write there.",
  );
}

function wrongLength(topic: string, lengthBytes: number, seen: string): Refusal {
  return refuse(
    "delivery.hash",
    `The chunk at ${topic} has ${seen} bytes where the signed length asks for ${lengthBytes}.`,
    "Somebody changed what the broker holds: publish the release again and find out who may write there.",
  );
}

function tooLarge(reference: BlobReference): Refusal {
  return refuse(
    "delivery.size",
    `Blob ${reference.sha256} has ${reference.length} bytes; a gateway accepts ${componentMaxBytes}.`,
    "Make the component smaller; a release build without debug information often is enough.",
  );
}
