// The time this gateway acts on: the director's, once it answered; until then its own clock, never before the agent was built.
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { agentBuiltMs } from "../protocol/version.ts";

export interface TrustedClock extends Clock {
  /** Asks the director when it is due; resolves to whether the time is another now by more than a tolerance. */
  ask(): Promise<boolean>;
  /** Whether the gateway's own clock cannot be right, so that the answer is worth waiting for. */
  readonly isLost: boolean;
}

export interface TrustedClockOptions {
  readonly clock: Clock;
  /** Asks once and verifies; undefined when nobody answered, or wrongly. */
  readonly attest: () => Promise<number | undefined>;
  readonly log: Log;
}

interface Anchor {
  readonly timeMs: number;
  readonly monotonicMs: number;
}

/**
 * Once anchored the gateway's own clock counts no more, whichever way it is wrong: a board that thinks it is 1970 and
 * one that is ten years ahead both come right. Without anybody who answers it is the own clock, and the floors that
 * signers attested before (`trust`) still hold.
 */
export function createTrustedClock({ clock, attest, log }: TrustedClockOptions): TrustedClock {
  let anchor: Anchor | undefined;
  let askAgainMs = Number.NEGATIVE_INFINITY;
  let asking: Promise<boolean> | undefined;
  const nowMs = (): number => {
    if (anchor === undefined) return Math.max(clock.nowMs(), agentBuiltMs);
    return anchor.timeMs + (clock.monotonicMs() - anchor.monotonicMs);
  };
  const askNow = async (): Promise<boolean> => {
    const monotonicMs = clock.monotonicMs();
    askAgainMs = monotonicMs + limits.time.askAgainMs;
    const timeMs = await attest();
    if (timeMs === undefined) return false;
    askAgainMs = monotonicMs + limits.time.anchoredMs;
    const isOff = Math.abs(nowMs() - timeMs) / 1000 > limits.time.worthSayingS;
    const offSeconds = Math.round((clock.nowMs() - timeMs) / 1000);
    if (isOff) log.warn({ offSeconds }, "this gateway's clock is wrong; the director's time is used");
    anchor = { timeMs, monotonicMs };
    return isOff;
  };
  return {
    nowMs,
    monotonicMs: () => clock.monotonicMs(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    after: (ms, task) => clock.after(ms, task),
    get isLost() {
      return anchor === undefined && clock.nowMs() < agentBuiltMs;
    },
    ask: () => {
      if (clock.monotonicMs() < askAgainMs && asking === undefined) return Promise.resolve(false);
      asking ??= askNow().finally(() => {
        asking = undefined;
      });
      return asking;
    },
  };
}
