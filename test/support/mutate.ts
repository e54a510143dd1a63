// Damages bytes in a way that a seed decides, so that a failure can be replayed.

/** Flips one bit in each of `count` bytes. */
export function mutate(bytes: Uint8Array, seed: number, count: number): Uint8Array {
  const mutated = bytes.slice();
  let state = seed;
  const next = (below: number): number => {
    // Numerical Recipes' linear congruential generator; its high bits are good enough to pick a place.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let flip = 0; flip < count; flip++) {
    const place = next(mutated.length);
    mutated[place] = (mutated[place] ?? 0) ^ (1 << next(8));
  }
  return mutated;
}
