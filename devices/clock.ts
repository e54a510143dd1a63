// The little time a driver needs, as an argument, so that a test can own it.

export interface DeviceClock {
  /** Wall time in milliseconds since 1970. */
  nowMs(): number;
  /** CLOCK_MONOTONIC in nanoseconds: the clock that the kernel stamps edges with. */
  monotonicNs(): bigint;
  /** Runs `task` once after `ms`; the returned function cancels it. Does not keep the process alive. */
  after(ms: number, task: () => void): () => void;
}

export const systemDeviceClock: DeviceClock = {
  nowMs: () => Date.now(),
  monotonicNs: () => process.hrtime.bigint(),
  after: (ms, task) => {
    const timer = setTimeout(task, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
