// stdout and stderr of the guest as log lines, bounded in length and rate; what is over is dropped and counted.
import { limits } from "../../../base/limits.ts";
import type { RateLimit } from "../../../base/rateLimit.ts";
import type { OutputHandler } from "../shim.ts";

export interface LineSink {
  line(text: string): void;
  dropped(count: number): void;
}

export function createLineOutput(sink: LineSink, rate: RateLimit): OutputHandler {
  const decoder = new TextDecoder();
  let pending = "";
  const emit = (text: string): void => (rate.take(1) ? sink.line(text) : sink.dropped(1));
  const flush = (): void => {
    if (pending !== "") emit(pending);
    pending = "";
  };
  return {
    write: (bytes) => {
      const lines = (pending + decoder.decode(bytes, { stream: true })).split("\n");
      pending = (lines.pop() ?? "").slice(0, limits.component.logLineBytes);
      for (const line of lines) emit(line.slice(0, limits.component.logLineBytes));
    },
    flush,
    blockingFlush: flush,
  };
}
