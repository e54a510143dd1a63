// Adds up what was dropped and tells it now and then, because a component may drop far more often than anybody can hear.

export interface ReportTime {
  monotonicMs(): number;
  /** Runs the task once after `ms`, if the component ever lets go of its thread. */
  after(ms: number, task: () => void): void;
}

export interface DropReport {
  /** Counts, and tells at most once every while. */
  drop(count: number): void;
  /** Tells what was not told yet. */
  tellAll(): void;
}

export function createDropReport(tell: (count: number) => void, everyMs: number, time: ReportTime): DropReport {
  let dropped = 0;
  let toldMs = -everyMs;
  let isWaiting = false;
  const tellAll = (): void => {
    if (dropped === 0) return;
    toldMs = time.monotonicMs();
    tell(dropped);
    dropped = 0;
  };
  const drop = (count: number): void => {
    dropped += count;
    // Not only by the timer: a component that never lets go of its thread drops, too.
    if (time.monotonicMs() - toldMs >= everyMs) return tellAll();
    if (isWaiting) return;
    isWaiting = true;
    time.after(everyMs, () => {
      isWaiting = false;
      tellAll();
    });
  };
  return { drop, tellAll };
}
