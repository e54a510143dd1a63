// One stream on its way into the outbox: readings wait for a batch to fill or to come of age, and are numbered.
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Reading } from "../protocol/reports.ts";
import { TelemetryError } from "./error.ts";

export interface LaneOptions {
  readonly clock: Clock;
  /** Number of the next reading. */
  readonly next: number;
  /** Makes a batch durable; never called twice at once. */
  readonly append: (seq: number, readings: readonly Reading[]) => Promise<void>;
  /** Called with the number of readings that left memory, into the outbox or lost. */
  readonly onSettled: (count: number, lost: boolean) => void;
}

interface Report {
  left: number;
  readonly resolve: () => void;
  readonly reject: (reason: TelemetryError) => void;
}
interface Waiting {
  readonly reading: Reading;
  readonly sizeBytes: number;
  readonly report: Report;
}

export class Lane {
  readonly #options: LaneOptions;
  #next: number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #cancelTimer: (() => void) | undefined;
  #emptying: Promise<void> | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#next = options.next;
  }

  /** The number after the last durable reading. */
  get next(): number {
    return this.#next;
  }

  /** Resolves when every reading is durable; rejects when one of them is lost, which none of its numbers is spent on. */
  add(readings: readonly Reading[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const report = { left: readings.length, resolve, reject };
      for (const reading of readings) {
        const sizeBytes = Buffer.byteLength(JSON.stringify(reading)) + 1;
        this.#waiting.push({ reading, sizeBytes, report });
        this.#waitingBytes += sizeBytes;
      }
      const { batchReadings, batchBytes, batchMs } = limits.outbox;
      if (this.#waiting.length >= batchReadings || this.#waitingBytes >= batchBytes) void this.flush();
      else this.#cancelTimer ??= this.#options.clock.after(batchMs, () => void this.flush());
    });
  }

  /** Resolves when nothing waits any more; never rejects. */
  flush(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#emptying ??= this.#empty().finally(() => {
      this.#emptying = undefined;
    });
    return this.#emptying;
  }

  async #empty(): Promise<void> {
    while (this.#waiting.length > 0) await this.#append(this.#takeBatch());
  }

  /** One batch at a time: numbers follow each other only when a batch that fails spends none. */
  async #append(batch: readonly Waiting[]): Promise<void> {
    try {
      await this.#options.append(
        this.#next,
        batch.map(({ reading }) => reading),
      );
      this.#next += batch.length;
      this.#options.onSettled(batch.length, false);
      for (const { report } of batch) {
        report.left -= 1;
        if (report.left === 0) report.resolve();
      }
    } catch (cause) {
      this.#options.onSettled(batch.length, true);
      const message = `Readings were lost: ${describeError(cause)}`;
      for (const { report } of batch) report.reject(new TelemetryError("disk", message, { cause }));
    }
  }

  #takeBatch(): readonly Waiting[] {
    const { batchReadings, batchBytes } = limits.outbox;
    let count = 0;
    let bytes = 0;
    for (const { sizeBytes } of this.#waiting.slice(0, batchReadings)) {
      if (count > 0 && bytes + sizeBytes > batchBytes) break;
      count += 1;
      bytes += sizeBytes;
    }
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }
}
