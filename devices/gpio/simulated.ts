// Simulated GPIO lines: a relay that remembers its level and a button that a test, a demo or its own period presses.
import type { DeviceClock } from "../clock.ts";
import { DeviceError } from "../error.ts";
import type { TraceEvent } from "../simulated/trace.ts";
import { startPeriod } from "../simulated/period.ts";
import type { GpioLine } from "./gpio.ts";
import { createWatchers } from "./watchers.ts";
import type { Watchers } from "./watchers.ts";

/** The part at the line, with the levers that a test or a demo pulls. */
export interface SimulatedGpio {
  /** Rejects with "busy" while open. An output starts inactive. */
  open(): Promise<GpioLine>;
  readonly active: boolean;
  /** The finger on the button; a relay ignores it. */
  press(active: boolean): void;
  stop(): void;
}

export interface SimulatedLineOptions {
  readonly direction: "in" | "out";
  /** A button: each level lasts this long. */
  readonly everyMs?: number | undefined;
  readonly clock: DeviceClock;
  record(event: TraceEvent): void;
}

export function createSimulatedGpio(port: string, options: SimulatedLineOptions): SimulatedGpio {
  const { direction, clock } = options;
  const watchers = createWatchers();
  let active = false;
  let isOpen = false;

  const change = (level: boolean): void => {
    if (level === active) return;
    active = level;
    if (direction === "out") options.record({ level });
    else watchers.deliver(level, clock.monotonicNs(), 0);
  };
  const release = (): void => {
    watchers.clear();
    isOpen = false;
  };

  return {
    open: async () => {
      if (isOpen) throw new DeviceError("busy", `The simulated port "${port}" is open; close it first.`);
      isOpen = true;
      if (direction === "out") change(false);
      return lendLine({ port, direction, watchers, level: () => active, change, release });
    },
    get active() {
      return active;
    },
    press: (level) => {
      if (direction === "in") change(level);
    },
    stop: startPeriod(clock, options.everyMs, () => change(!active)),
  };
}

interface Lending {
  readonly port: string;
  readonly direction: "in" | "out";
  readonly watchers: Watchers;
  level(): boolean;
  change(level: boolean): void;
  release(): void;
}

function lendLine({ port, direction, watchers, level, change, release }: Lending): GpioLine {
  let closed = false;
  const requireUse = (needed: "in" | "out" | "any"): void => {
    if (closed) throw new DeviceError("closed", `The simulated port "${port}" is closed; open it again.`);
    if (needed !== "any" && needed !== direction)
      throw new DeviceError("wrong-direction", `The simulated port "${port}" has the direction "${direction}".`);
  };
  const close = async (): Promise<void> => {
    if (!closed) release();
    closed = true;
  };
  return {
    direction,
    read: async () => {
      requireUse("any");
      return level();
    },
    write: async (active) => {
      requireUse("out");
      change(active);
    },
    watch: (edges, onEdge) => {
      requireUse("in");
      const watcher = watchers.add(edges, onEdge);
      return () => void watchers.remove(watcher);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
