// The trace: one JSON line for everything that happens to a simulated part, for people and tests to watch.
import { closeSync, fstatSync, openSync, writeSync } from "node:fs";
import { DeviceError } from "../error.ts";
import { deviceLimits } from "../limits.ts";

export type TraceEvent = Readonly<Record<string, string | number | boolean>>;

export interface Trace {
  /** Adds `{"t":ms,"port":port,…event}`. On the file when it returns; simulated parts are slow enough for that. */
  record(port: string, event: TraceEvent): void;
  close(): void;
}

export const noTrace: Trace = { record() {}, close() {} };

/** Appends to the file; stops with a last line `{"t":ms,"full":true}` at the size bound. */
export function openTrace(
  path: string,
  nowMs: () => number,
  maxBytes: number = deviceLimits.simulated.traceBytes,
): Trace {
  const file = attempt(path, () => openSync(path, "a", 0o640));
  let sizeBytes = attempt(path, () => fstatSync(file).size);
  let open = true;

  const write = (event: TraceEvent): void => {
    const line = `${JSON.stringify(event)}\n`;
    attempt(path, () => writeSync(file, line));
    sizeBytes += Buffer.byteLength(line);
  };

  return {
    record: (port, event) => {
      if (!open || sizeBytes >= maxBytes) return;
      write({ t: nowMs(), port, ...event });
      if (sizeBytes >= maxBytes) write({ t: nowMs(), full: true });
    },
    close: () => {
      if (open) closeSync(file);
      open = false;
    },
  };
}

function attempt<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DeviceError("failed", `The trace ${path} cannot be written: ${reason}`, { cause });
  }
}
