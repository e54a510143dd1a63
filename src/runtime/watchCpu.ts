// Ends a component that takes more than its share of a core over a window; works while it spins.
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { ComponentWorker } from "./startWorker.ts";

export interface CpuWatch {
  readonly worker: Pick<ComponentWorker, "cpuMs">;
  readonly clock: Clock;
  /** Allowed share of one core, 0 to 1. */
  readonly share: number;
  readonly signal: AbortSignal;
  readonly onExcess: (reason: string) => void;
}

export function watchCpu({ worker, clock, share, signal, onExcess }: CpuWatch): void {
  const windowMs = limits.component.cpuWindowMs;
  const look = async (usedBeforeMs: number, sinceMs: number): Promise<void> => {
    if (signal.aborted) return;
    const usedMs = await worker.cpuMs().catch(() => undefined);
    if (usedMs === undefined || signal.aborted) return;
    const nowMs = clock.monotonicMs();
    const used = (usedMs - usedBeforeMs) / (nowMs - sinceMs);
    if (used > share) {
      const percent = (part: number): string => `${Math.round(part * 100)}%`;
      return onExcess(`it used ${percent(used)} of a core for ${windowMs / 1000} s; its limit is ${percent(share)}`);
    }
    clock.after(windowMs, () => void look(usedMs, nowMs));
  };
  const start = async (): Promise<void> => {
    // What starting took is not held against it.
    const usedMs = await worker.cpuMs().catch(() => undefined);
    const nowMs = clock.monotonicMs();
    if (usedMs !== undefined) clock.after(windowMs, () => void look(usedMs, nowMs));
  };
  void start();
}
