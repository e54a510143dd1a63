// Readings from components into the outbox and out to the broker: numbered without gaps, in order, every loss counted.
import assert from "node:assert/strict";
import type { Clock } from "../base/clock.ts";
import type { Disk } from "../base/disk.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Reading, TelemetryDocument } from "../protocol/reports.ts";
import { encodeBatch, laneKey, parseBatch } from "./batch.ts";
import { recoverNumbering, saveCheckpoint, type Numbering } from "./checkpoint.ts";
import { TelemetryError } from "./error.ts";
import { Lane } from "./lane.ts";
import type { Outbox, OutboxRecord } from "./outbox.ts";

export interface TelemetryOptions {
  readonly outbox: Outbox;
  readonly gateway: string;
  readonly disk: Disk;
  /** Where the numbering of streams is kept. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Hands one document to the broker; resolves when it is acknowledged, rejects when it may not have arrived. */
export type PublishTelemetry = (component: string, stream: string, document: TelemetryDocument) => Promise<void>;

/** Readings of this run. What the outbox dropped in earlier runs, or damaged, is in its own counters. */
export interface TelemetryCounters {
  readonly reported: number;
  readonly published: number;
  /** `busy`: memory was full; `disk`: the outbox failed; `full`: the oldest gave way to newer ones. */
  readonly dropped: { readonly busy: number; readonly disk: number; readonly full: number };
}

/** Recovers the numbering of every stream; one per outbox. */
export async function openTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const numbering = await recoverNumbering(options.disk, options.directory, options);
  return new Telemetry(options, numbering);
}

export class Telemetry implements AsyncDisposable {
  readonly #options: TelemetryOptions;
  readonly #lanes = new Map<string, Lane>();
  /** Records up to this one may have been published before. */
  #attemptedThrough: number;
  /** The number a new stream starts with. */
  readonly #first: number;
  #draining = false;
  #closed = false;
  #inMemory = 0;
  #counters = { reported: 0, published: 0, busy: 0, disk: 0, full: 0 };

  constructor(options: TelemetryOptions, { next, first }: Numbering) {
    this.#options = options;
    this.#attemptedThrough = options.outbox.nextSequence - 1;
    this.#first = first;
    for (const [key, number] of Object.entries(next)) this.#lanes.set(key, this.#createLane(key, number));
    options.outbox.beforeRecycle((through, lost) => this.#checkpoint(through, lost));
  }

  get counters(): TelemetryCounters {
    const { reported, published, busy, disk, full } = this.#counters;
    return { reported, published, dropped: { busy, disk, full } };
  }

  /**
   * Numbers the readings and resolves when a power cut cannot lose them, at the latest about `limits.outbox.batchMs` and
   * `commitMs` later. Rejects with TelemetryError when they are lost; they are then counted and no number is spent, so
   * the stream has no gap. Readings that the power took before it resolved leave no gap either.
   */
  async report(component: string, stream: string, readings: readonly Reading[]): Promise<void> {
    if (this.#closed) throw new TelemetryError("closed", "The agent stops; readings are no longer taken.");
    if (readings.length === 0) return;
    this.#counters.reported += readings.length;
    const refusal = this.#refuse(laneKey({ component, stream }), readings);
    if (refusal !== undefined) {
      this.#counters.busy += readings.length;
      throw refusal;
    }
    this.#inMemory += readings.length;
    await this.#laneOf(laneKey({ component, stream })).add(readings);
  }

  /**
   * Publishes what the outbox holds, in order and `limits.outbox.drainRecords` at a time, and acknowledges what arrived.
   * Resolves when the signal is aborted. Rejects with the first failure of `publish`; what arrived before it is
   * acknowledged, the rest stays and is marked `resent` by the next drain, which the caller starts when the link is back.
   */
  async drain(publish: PublishTelemetry, signal: AbortSignal): Promise<void> {
    assert(!this.#draining, "one drain at a time");
    this.#draining = true;
    try {
      while (!signal.aborted) await this.#drainOnce(publish, signal);
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    } finally {
      this.#draining = false;
    }
  }

  /** Resolves when everything reported so far is in the outbox or counted as lost. */
  async flush(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.flush()));
  }

  /** Takes no more readings and flushes; the outbox stays open and what it holds is published by the next run. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #drainOnce(publish: PublishTelemetry, signal: AbortSignal): Promise<void> {
    const { outbox } = this.#options;
    await outbox.waitForRecords(signal);
    const records = await outbox.peek(limits.outbox.drainRecords, limits.outbox.drainBytes);
    const outcomes = await Promise.allSettled(records.map((record) => this.#publish(record, publish)));
    const failed = outcomes.findIndex(({ status }) => status === "rejected");
    const arrived = failed < 0 ? records : records.slice(0, failed);
    const last = arrived.at(-1);
    if (last !== undefined) {
      await outbox.acknowledge(last.sequence);
      this.#counters.published += countReadings(arrived);
    }
    const outcome = outcomes[failed];
    if (outcome?.status === "rejected") throw outcome.reason;
  }

  async #publish({ sequence, payload }: OutboxRecord, publish: PublishTelemetry): Promise<void> {
    const { component, stream, seq, readings } = parseBatch(payload);
    const resent = sequence <= this.#attemptedThrough;
    this.#attemptedThrough = Math.max(this.#attemptedThrough, sequence);
    const document = { gateway: this.#options.gateway, seq, readings: [...readings], ...(resent && { resent }) };
    await publish(component, stream, document);
  }

  async #checkpoint(through: number, lost: readonly OutboxRecord[]): Promise<void> {
    const next = Object.fromEntries([...this.#lanes].map(([key, lane]) => [key, lane.next]));
    await saveCheckpoint(this.#options.disk, this.#options.directory, { through, next, first: this.#first });
    if (lost.length === 0) return;
    const readings = countReadings(lost);
    this.#counters.full += readings;
    this.#options.log.warn({ readings }, "the outbox is full; its oldest readings are dropped");
  }

  #refuse(key: string, readings: readonly Reading[]): TelemetryError | undefined {
    const { pendingReadings, streams, batchBytes } = limits.outbox;
    if (this.#inMemory + readings.length > pendingReadings)
      return new TelemetryError("busy", "Too many readings wait for the disk; report fewer.", { retryable: true });
    if (!this.#lanes.has(key) && this.#lanes.size >= streams)
      return new TelemetryError("too-many-streams", `There are ${streams} streams already; use fewer names.`);
    if (readings.some((reading) => Buffer.byteLength(JSON.stringify(reading)) >= batchBytes))
      return new TelemetryError("too-large", `A reading has over ${batchBytes} bytes; make it shorter.`);
    return undefined;
  }

  #laneOf(key: string): Lane {
    const lane = this.#lanes.get(key) ?? this.#createLane(key, this.#first);
    this.#lanes.set(key, lane);
    return lane;
  }

  #createLane(key: string, next: number): Lane {
    const [component = "", stream = ""] = key.split("/");
    return new Lane({
      clock: this.#options.clock,
      next,
      append: (seq, readings) => this.#options.outbox.append(encodeBatch({ component, stream, seq, readings })),
      onSettled: (count, lost) => {
        this.#inMemory -= count;
        if (lost) this.#counters.disk += count;
      },
    });
  }
}

function countReadings(records: readonly OutboxRecord[]): number {
  return records.reduce((sum, { payload }) => sum + parseBatch(payload).readings.length, 0);
}
