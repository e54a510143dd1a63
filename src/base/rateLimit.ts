// A token bucket over a clock it is given: so many a second, with a burst of a second's worth, at least one, or as told.

export interface RateLimit {
  /** Takes `count` when there is room for all of them; false takes nothing. */
  take(count: number): boolean;
}

export function createRateLimit(
  perSecond: number,
  monotonicMs: () => number,
  most: number = Math.max(1, perSecond),
): RateLimit {
  let tokens = most;
  let last = monotonicMs();
  return {
    take: (count) => {
      const now = monotonicMs();
      tokens = Math.min(most, tokens + ((now - last) * perSecond) / 1000);
      last = now;
      if (count > tokens) return false;
      tokens -= count;
      return true;
    },
  };
}
