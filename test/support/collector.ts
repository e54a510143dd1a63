// The far end of telemetry: takes documents as a broker's subscriber would, and checks what a stream must never do.
import { expect } from "vitest";
import type { TelemetryDocument } from "../../src/protocol/reports.ts";

export interface Collector {
  take(component: string, stream: string, document: TelemetryDocument): void;
  /** Every number seen, ascending, with the value it carried. Fails the test when a stream did what it must never do. */
  readings(component: string, stream: string): readonly (readonly [seq: number, value: unknown])[];
  /** How many documents said that they may be repeats. */
  readonly resent: number;
}

/** Notes a number that carries two values, a repeat that is not marked, and news out of order. */
export function createCollector(): Collector {
  const streams = new Map<string, Map<number, unknown>>();
  const violations: string[] = [];
  let resent = 0;
  const streamOf = (component: string, stream: string): Map<number, unknown> => {
    const key = `${component}/${stream}`;
    const seen = streams.get(key) ?? new Map<number, unknown>();
    streams.set(key, seen);
    return seen;
  };
  return {
    take: (component, stream, document) => {
      const seen = streamOf(component, stream);
      if (document.resent) resent += 1;
      for (const [index, { value }] of document.readings.entries()) {
        const seq = document.seq + index;
        const repeated = seen.has(seq);
        if (repeated && !document.resent) violations.push(`${stream} ${seq} came again and did not say so`);
        if (repeated && seen.get(seq) !== value) violations.push(`${stream} ${seq} carried two values`);
        if (!repeated && seq <= Math.max(0, ...seen.keys())) violations.push(`${stream} ${seq} came too late`);
        seen.set(seq, value);
      }
    },
    readings: (component, stream) => {
      expect(violations).toEqual([]);
      return [...streamOf(component, stream)].sort(([a], [b]) => a - b);
    },
    get resent() {
      return resent;
    },
  };
}
