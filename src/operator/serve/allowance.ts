// How much each gateway may ask for: so much at once, and so much a second; it remembers only who asked lately.
import type { Clock } from "../../base/clock.ts";

export interface Allowance {
  /** Takes `cost` from what `name` has left; false, taking nothing, when that is too little. */
  take(name: string, cost: number): boolean;
}

export interface AllowanceLimits {
  readonly burst: number;
  readonly perSecond: number;
  /** Names remembered; the one that asked longest ago is forgotten, and starts afresh. */
  readonly remembered: number;
}

export function createAllowance({ burst, perSecond, remembered }: AllowanceLimits, clock: Clock): Allowance {
  const left = new Map<string, { readonly amount: number; readonly atMs: number }>();
  return {
    take: (name, cost) => {
      const nowMs = clock.monotonicMs();
      const before = left.get(name) ?? { amount: burst, atMs: nowMs };
      const amount = Math.min(burst, before.amount + ((nowMs - before.atMs) / 1000) * perSecond);
      const allowed = cost <= amount;
      left.delete(name);
      left.set(name, { amount: allowed ? amount - cost : amount, atMs: nowMs });
      const [oldest] = left.keys();
      if (left.size > remembered && oldest !== undefined) left.delete(oldest);
      return allowed;
    },
  };
}
