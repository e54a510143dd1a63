// Tells a transfer that stands still from one that is slow: a chunk may take minutes on a thin link, and is then no loss.
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { Link } from "./link.ts";

export interface Stall {
  /** What was waited for has come, or part of it. */
  moved(): void;
  stop(): void;
}

/**
 * Calls `onStall` once, when nothing has moved for `timeoutMs` while the link was up. Bytes that trickle in count as
 * movement, `limits.link.trickles` times in a row at most: they may be of something else.
 */
export function watchStall(
  link: Pick<Link, "online" | "traffic">,
  { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number },
  onStall: () => void,
): Stall {
  const { trickleBytes, trickles } = limits.link;
  let trickled = 0;
  let hasMoved = false;
  let seenBytes = link.traffic.socket.in;
  const look = (): void => {
    const bytes = link.traffic.socket.in;
    const isTrickle = !link.online || bytes - seenBytes >= trickleBytes;
    seenBytes = bytes;
    trickled = hasMoved ? 0 : trickled + (link.online ? 1 : 0);
    if (!hasMoved && !(isTrickle && trickled <= trickles)) return onStall();
    hasMoved = false;
    cancel = clock.after(timeoutMs, look);
  };
  let cancel = clock.after(timeoutMs, look);
  return {
    moved: () => {
      hasMoved = true;
    },
    stop: () => cancel(),
  };
}
