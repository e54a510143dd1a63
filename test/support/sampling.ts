// How much of an exhaustive test runs: a seeded sample, or with OUTSTATION_FAULTS=whole all of it.

export interface Sampling {
  /** Brings a failing sample back: OUTSTATION_SEED. */
  readonly seed: number;
  readonly isWhole: boolean;
  /** In [0, 1). */
  readonly random: () => number;
}

export function createSampling(): Sampling {
  const seed = Number(process.env["OUTSTATION_SEED"] ?? Date.now() % 1_000_000);
  return { seed, isWhole: process.env["OUTSTATION_FAULTS"] === "whole", random: createSeeded(seed) };
}

/** Numbers in [0, 1) that the seed brings back (mulberry32). */
export function createSeeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` of the items, in their order. */
export function sampleOf<T>(items: readonly T[], count: number, random: () => number): readonly T[] {
  const chosen = new Set<number>();
  while (chosen.size < Math.min(count, items.length)) chosen.add(Math.floor(random() * items.length));
  return items.filter((_, index) => chosen.has(index));
}
