// Which chunks of a download are on the disk, one bit each; what cannot be read means none, never one too many.

/** Bit n of byte n >> 3, lowest first. */
export function encodeHave(have: ReadonlySet<number>, chunks: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil(chunks / 8));
  for (const chunk of have) bits[chunk >> 3] = (bits[chunk >> 3] ?? 0) | (1 << (chunk & 7));
  return bits;
}

/** A file of another length is of another blob, or torn. The hash of the whole blob has the last word in any case. */
export function parseHave(bits: Uint8Array | undefined, chunks: number): Set<number> {
  if (bits?.length !== Math.ceil(chunks / 8)) return new Set();
  const all = Array.from({ length: chunks }, (_, chunk) => chunk);
  return new Set(all.filter((chunk) => ((bits[chunk >> 3] ?? 0) & (1 << (chunk & 7))) !== 0));
}
