// Gets the missing chunks of one blob: as retained messages, and from whoever serves the fleet when those do not come.
import type { Clock } from "../base/clock.ts";
import { releaseBytes } from "../base/releaseBytes.ts";
import { limits } from "../base/limits.ts";
import { isRefusal, type Refusal, refuse } from "../protocol/refusal.ts";
import type { BlobReference } from "../protocol/release.ts";
import type { Topics } from "../protocol/topics.ts";
import type { Ask } from "./ask.ts";
import { runInWindow } from "./inWindow.ts";
import { type Link, LinkError } from "./link.ts";
import { type Stall, watchStall } from "./stall.ts";
import { whenOnline } from "./whenOnline.ts";

export interface ChunkSource {
  readonly link: Link;
  readonly topics: Topics;
  readonly clock: Clock;
  /** Without it there are retained messages alone. */
  readonly ask?: Ask;
}

/** Where chunks go. Only chunks of exactly their length are put; the bytes are gone once `put` resolved. */
export interface ChunkSink {
  missing(): readonly number[];
  put(chunk: number, bytes: Uint8Array): Promise<void>;
}

const { chunkSizeBytes, windowChunks, chunkTimeoutMs, chunkAttempts } = limits.blob;

/**
 * Undefined when nothing is missing any more; the hash of the whole is the caller's to check. Refusals are
 * `delivery.missing` and, for a chunk of another length than the signed one, `delivery.hash`. A dropped connection costs
 * no attempt: it waits until the link is back and goes on. Rejects with the signal's reason, LinkError `closed`, or what
 * `put` rejected with. Holds `limits.blob.windowChunks` chunks in memory.
 */
export async function fetchChunks(
  source: ChunkSource,
  blob: BlobReference,
  sink: ChunkSink,
  signal: AbortSignal,
): Promise<Refusal | undefined> {
  let attempts = 0;
  for (let missing = sink.missing(); missing.length > 0; missing = sink.missing()) {
    const refusal = await fetchRetained(source, blob, sink, signal);
    if (refusal !== undefined) return refusal;
    const answer = await askForRest(source, blob, sink, signal);
    if (answer === "none") return refuseMissing(blob, sink, "and whoever serves the fleet does not have it");
    attempts = sink.missing().length < missing.length ? 0 : attempts + 1;
    if (attempts >= chunkAttempts) return refuseMissing(blob, sink, `in ${attempts} attempts`);
  }
  return undefined;
}

/** One pass over what is missing; ends when all of it came, or nothing comes any more. */
async function fetchRetained(
  source: ChunkSource,
  blob: BlobReference,
  sink: ChunkSink,
  signal: AbortSignal,
): Promise<Refusal | undefined> {
  const pass = new AbortController();
  const passSignal = AbortSignal.any([signal, pass.signal]);
  const stall = watchStall(source.link, { clock: source.clock, timeoutMs: chunkTimeoutMs }, () => pass.abort());
  const missing = sink.missing();
  let refusal: Refusal | undefined;
  try {
    await runInWindow(missing.length, windowChunks, async (index) => {
      const chunk = missing[index] ?? 0;
      try {
        const bytes = await fetchChunk(source, blob, chunk, { stall, signal: passSignal });
        if (isRefusal(bytes)) {
          refusal ??= bytes;
          return pass.abort();
        }
        await sink.put(chunk, bytes);
        releaseBytes(bytes);
      } catch (thrown) {
        // The others would wait for chunks that nobody takes.
        pass.abort();
        throw thrown;
      }
    });
  } catch (thrown) {
    if (thrown !== pass.signal.reason) throw thrown;
  } finally {
    stall.stop();
  }
  return refusal;
}

interface Pass {
  readonly stall: Stall;
  readonly signal: AbortSignal;
}

async function fetchChunk(
  { link, topics }: ChunkSource,
  blob: BlobReference,
  chunk: number,
  { stall, signal }: Pass,
): Promise<Uint8Array | Refusal> {
  const topic = topics.blob(blob.sha256, chunk);
  const maxBytes = lengthOf(blob, chunk);
  for (;;) {
    await whenOnline(link, signal);
    try {
      const bytes = await link.fetch(topic, { maxBytes, timeoutMs: null, signal });
      stall.moved();
      return bytes.length === maxBytes ? bytes : refuseLength(topic, maxBytes, `${bytes.length}`);
    } catch (thrown) {
      if (!(thrown instanceof LinkError)) throw thrown;
      if (thrown.code === "too-large") return refuseLength(topic, maxBytes, "more");
      if (!thrown.retryable) throw thrown;
    }
  }
}

/** As many requests as are answered. "none": nobody will have it; anything else: it may come yet. */
async function askForRest(
  { ask, link }: ChunkSource,
  blob: BlobReference,
  sink: ChunkSink,
  signal: AbortSignal,
): Promise<"none" | "over"> {
  if (ask === undefined) return "over";
  for (let missing = sink.missing(); missing.length > 0; missing = sink.missing()) {
    const chunks = missing.slice(0, limits.get.chunks);
    await whenOnline(link, signal);
    const end = await ask(
      { want: "blob", sha256: blob.sha256, chunks },
      {
        parts: new Set(chunks),
        isWanted: (chunk, bytes) => bytes.length === lengthOf(blob, chunk),
        take: (chunk, bytes) => sink.put(chunk, bytes),
        signal,
      },
    );
    if (end === "none") return "none";
    if (end !== "answered") return "over";
  }
  return "over";
}

export function countChunks(lengthBytes: number): number {
  return Math.ceil(lengthBytes / chunkSizeBytes);
}

function lengthOf(blob: BlobReference, chunk: number): number {
  return Math.min(chunkSizeBytes, blob.length - chunk * chunkSizeBytes);
}

function refuseMissing(blob: BlobReference, sink: ChunkSink, how: string): Refusal {
  const missing = sink.missing();
  return refuse(
    "delivery.missing",
    `Chunk ${missing[0]} of blob ${blob.sha256}, and ${missing.length - 1} more of ${countChunks(blob.length)}, did not come ${how}.`,
    "Publish the release again; the broker may have lost its retained messages.",
  );
}

function refuseLength(topic: string, lengthBytes: number, seen: string): Refusal {
  return refuse(
    "delivery.hash",
    `The chunk at ${topic} has ${seen} bytes where the signed length asks for ${lengthBytes}.`,
    "Somebody changed what the broker holds: publish the release again and find out who may write there.",
  );
}
