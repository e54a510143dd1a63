// Expands a whole blob in memory, for tests that look at what is in one.
import { expand } from "../../src/protocol/compression.ts";

export function expandFull(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  return collect(expand(piecesOf(bytes), { maxBytes }));
}

export function applyDelta(base: Uint8Array, delta: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  return collect(expand(piecesOf(delta), { maxBytes, base }));
}

/** A few bytes at a time, as a disk or a process may give them. */
export async function* piecesOf(bytes: Uint8Array, pieceBytes = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.slice(at, at + pieceBytes);
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const collected: Uint8Array[] = [];
  for await (const piece of pieces) collected.push(piece);
  return Buffer.concat(collected);
}
