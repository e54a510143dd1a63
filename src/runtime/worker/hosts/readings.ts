// outstation:gateway/readings for the guest: checks names and rate, then hands readings over.
import { limits } from "../../../base/limits.ts";
import { isName } from "../../../protocol/topics.ts";
import type { Reading, ReadingValue } from "../../../protocol/reports.ts";
import { HostCallError, type HostCalls } from "../calls.ts";
import type { RateLimit } from "../../../base/rateLimit.ts";
import type { HostInterface } from "../shim.ts";
import { declare, toReadingsError } from "../witError.ts";

interface GuestReading {
  readonly metric: string;
  readonly value: {
    readonly tag: "boolean" | "integer" | "number" | "text";
    readonly val: boolean | bigint | number | string;
  };
  readonly unit: string | undefined;
  readonly timeMs: bigint | undefined;
}

export interface ReadingsHostOptions {
  readonly calls: HostCalls;
  readonly rate: RateLimit;
  readonly nowMs: () => number;
  /** Told of readings that were over the rate. */
  readonly dropped: (count: number) => void;
}

export function createReadingsHost({ calls, rate, nowMs, dropped }: ReadingsHostOptions): HostInterface {
  const report = async (stream: string, readings: readonly GuestReading[]): Promise<undefined> => {
    if (!isName(stream)) throw new HostCallError(invalid(`"${stream}" is not a stream name`));
    const converted = readings.map((reading) => convert(reading, nowMs()));
    if (!rate.take(readings.length)) {
      dropped(readings.length);
      throw new HostCallError({ code: "too-many", message: "over the reading rate" });
    }
    return calls.ask("readings.report", stream, converted);
  };
  return {
    report: (...args: Parameters<typeof report>) => declare(toReadingsError, report(...args)),
    flush: () => declare(toReadingsError, calls.ask("readings.flush")),
  };
}

function convert({ metric, value, unit, timeMs }: GuestReading, nowMs: number): Reading {
  if (!isName(metric.toLowerCase())) throw new HostCallError(invalid(`"${metric}" is not a metric name`));
  if (unit !== undefined && unit.length > 32) throw new HostCallError(invalid("the unit is longer than 32"));
  const t = timeMs === undefined ? nowMs : Number(timeMs);
  return { metric, value: convertValue(value.val), t, ...(unit === undefined ? {} : { unit }) };
}

function convertValue(value: GuestReading["value"]["val"]): ReadingValue {
  if (typeof value === "bigint") return convertInteger(value);
  if (typeof value === "number" && !Number.isFinite(value))
    throw new HostCallError(invalid(`${value} is not a number`));
  if (typeof value === "string" && value.length > limits.outbox.recordBytes / 8)
    throw new HostCallError(invalid("the text is too long"));
  return value;
}

function convertInteger(value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new HostCallError(invalid(`${value} is beyond the integers that JSON carries exactly (2^53)`));
}

function invalid(message: string): { readonly code: string; readonly message: string } {
  return { code: "invalid", message };
}
