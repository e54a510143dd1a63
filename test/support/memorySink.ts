// Where the chunks of a download go in a test: a buffer in memory that knows what is missing.
import { limits } from "../../src/base/limits.ts";
import type { ChunkSink } from "../../src/link/fetchChunks.ts";

export interface MemorySink extends ChunkSink {
  readonly bytes: Uint8Array;
  /** Chunks in the order in which they came. */
  readonly put: ChunkSink["put"];
  readonly taken: readonly number[];
}

export function createMemorySink(lengthBytes: number, here: readonly number[] = []): MemorySink {
  const { chunkSizeBytes } = limits.blob;
  const bytes = new Uint8Array(lengthBytes);
  const taken: number[] = [];
  const all = Array.from({ length: Math.ceil(lengthBytes / chunkSizeBytes) }, (_, chunk) => chunk);
  return {
    bytes,
    taken,
    missing: () => all.filter((chunk) => !here.includes(chunk) && !taken.includes(chunk)),
    put: async (chunk, payload) => {
      bytes.set(payload, chunk * chunkSizeBytes);
      taken.push(chunk);
    },
  };
}
