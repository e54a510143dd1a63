// How long to wait before the next connect: doubling, jittered, and reset only by a connection that lasted.
import type { Random } from "../base/random.ts";
import { limits } from "../base/limits.ts";

export interface Backoff {
  /** The wait before the next attempt; doubles what the one after it may be. */
  nextMs(): number;
  /** To be told of every connection that ended: one that lasted starts afresh, a short one counts as a failure. */
  ended(lastedMs: number): void;
  /** The longest waits from now on, until a connection lasts: somebody else holds our identity. */
  takenOver(): void;
}

/** Waits are spread over half to the whole of the bound, so that a fleet does not come back as one. */
export function createBackoff(random: Random): Backoff {
  const { reconnectMinMs, reconnectMaxMs, stableMs } = limits.link;
  let boundMs: number = reconnectMinMs;
  return {
    nextMs: () => {
      const waitMs = boundMs * (0.5 + random.fraction() / 2);
      boundMs = Math.min(boundMs * 2, reconnectMaxMs);
      return waitMs;
    },
    ended: (lastedMs) => {
      if (lastedMs >= stableMs) boundMs = reconnectMinMs;
    },
    takenOver: () => {
      boundMs = reconnectMaxMs;
    },
  };
}
