// The outbox: what must reach the broker some day, in order, on a bounded piece of disk, across power cuts.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Disk } from "../base/disk.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { type CursorFile, openCursorFile } from "./cursorFile.ts";
import { StoreError } from "./error.ts";
import type { OutboxRecord } from "./outboxRecord.ts";
import { recordSizeBytes } from "./segment.ts";
import { Segments } from "./segments.ts";

export type { OutboxRecord } from "./outboxRecord.ts";

export interface OutboxOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** For tests; `limits.outbox` otherwise. */
  readonly segmentBytes?: number;
  readonly totalBytes?: number;
}

export interface OutboxCounters {
  /** Records on the disk that are not acknowledged. */
  readonly waiting: number;
  /** Records lost since the outbox was made: to its size bound, and to a disk that damaged them. */
  readonly dropped: { readonly full: number; readonly damaged: number };
}

/**
 * Called before the oldest records leave the disk, with those of them that were never acknowledged; rejects to keep them.
 * The outbox is not read while it runs: it must not wait for a `peek` or for `history`.
 */
export type BeforeRecycle = (throughSequence: number, lost: readonly OutboxRecord[]) => Promise<void>;

/** Opens what a former run left: every append that resolved is there, in order, from the first unacknowledged one on. */
export async function openOutbox(disk: Disk, directory: string, options: OutboxOptions): Promise<Outbox> {
  const { segmentBytes = limits.outbox.segmentBytes, totalBytes = limits.outbox.totalBytes } = options;
  await disk.makeDirectory(directory);
  const cursorFile = await openCursorFile(disk, join(directory, "cursor"));
  const segments = new Segments(disk, directory, { segmentBytes, totalBytes, log: options.log });
  await segments.open();
  return new Outbox(segments, cursorFile, options);
}

interface Append {
  readonly payload: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (reason: StoreError) => void;
}
type Acknowledgement = Omit<Append, "payload">;

export class Outbox implements AsyncDisposable {
  readonly #segments: Segments;
  readonly #cursorFile: CursorFile;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #listeners = new Set<() => void>();
  #beforeRecycle: BeforeRecycle = async () => undefined;
  #pending: Append[] = [];
  #pendingBytes = 0;
  #acknowledgements: Acknowledgement[] = [];
  #committing: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  #refusal: StoreError | undefined;
  #lock: Promise<unknown> = Promise.resolve();
  /** First sequence that is not acknowledged, and the one the next append gets. */
  #cursor: number;
  #next: number;
  #dropped: { full: number; damaged: number };

  constructor(segments: Segments, cursorFile: CursorFile, { clock, log }: OutboxOptions) {
    const { sequence = 1, droppedFull = 0, droppedDamaged = 0 } = cursorFile.initial ?? {};
    this.#segments = segments;
    this.#cursorFile = cursorFile;
    this.#clock = clock;
    this.#log = log;
    this.#cursor = sequence;
    this.#next = Math.max(sequence, segments.nextSequence);
    this.#dropped = { full: droppedFull, damaged: droppedDamaged };
  }

  get counters(): OutboxCounters {
    return { waiting: this.#next - this.#cursor, dropped: { ...this.#dropped } };
  }

  /** The sequence the next durable record will have. */
  get nextSequence(): number {
    return this.#next;
  }

  /** At most one; the last one set is called. */
  beforeRecycle(callback: BeforeRecycle): void {
    this.#beforeRecycle = callback;
  }

  /**
   * Resolves when a power cut cannot lose it, which takes up to `limits.outbox.commitMs` and one sync shared with every
   * other append. Rejects with StoreError; a record whose append rejected may exist after a restart, and is then whole.
   */
  append(payload: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const refusal = this.#refusal ?? this.#refuse(payload);
      if (refusal !== undefined) return reject(refusal);
      this.#pendingBytes += recordSizeBytes(payload);
      this.#pending.push({ payload, resolve, reject });
      this.#schedule();
    });
  }

  /** Consecutive durable records from the first unacknowledged one on; at least one when there is one. */
  peek(maxRecords: number, maxBytes: number): Promise<readonly OutboxRecord[]> {
    return this.#alone(async () => {
      const until = this.#next;
      const records = await this.#segments.read(this.#cursor, maxRecords, maxBytes);
      const first = records[0]?.sequence ?? until;
      if (first > this.#cursor) this.#skipDamaged(first);
      return records;
    });
  }

  /** Everything that is still on the disk, acknowledged or not, oldest first. */
  async *history(): AsyncGenerator<OutboxRecord> {
    const until = this.#next;
    let sequence = this.#segments.firstSequence;
    while (sequence < until) {
      const from = sequence;
      const { drainRecords, drainBytes } = limits.outbox;
      const records = await this.#alone(() => this.#segments.read(from, drainRecords, drainBytes));
      yield* records;
      sequence = (records.at(-1)?.sequence ?? until) + 1;
    }
  }

  /** Everything up to `sequence` is delivered. Resolves when a power cut cannot bring it back. */
  acknowledge(sequence: number): Promise<void> {
    assert(sequence < this.#next, "only a durable record is acknowledged");
    return new Promise((resolve, reject) => {
      if (this.#refusal !== undefined) return reject(this.#refusal);
      this.#cursor = Math.max(this.#cursor, sequence + 1);
      this.#acknowledgements.push({ resolve, reject });
      this.#schedule();
    });
  }

  /** Resolves when there is an unacknowledged record; rejects with the signal's reason. */
  waitForRecords(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      if (this.#cursor < this.#next) return resolve();
      const settle = (): void => {
        this.#listeners.delete(settle);
        signal.removeEventListener("abort", settle);
        if (signal.aborted) reject(signal.reason);
        else resolve();
      };
      this.#listeners.add(settle);
      signal.addEventListener("abort", settle);
    });
  }

  /** Commits what waits and lets go of the files. */
  async close(): Promise<void> {
    this.#refusal ??= new StoreError("closed", "The outbox is closed.");
    this.#cancelTimer?.();
    await this.#committing;
    await this.#commit();
    await this.#segments.close();
    await this.#cursorFile.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #refuse(payload: Uint8Array): StoreError | undefined {
    const { recordBytes, pendingBytes } = limits.outbox;
    if (payload.length > recordBytes)
      return new StoreError("too-large", `A record has ${payload.length} bytes; at most ${recordBytes} are kept.`);
    if (this.#pendingBytes + recordSizeBytes(payload) <= pendingBytes) return undefined;
    return new StoreError("busy", "Too much waits for the disk; wait for some of it.", { retryable: true });
  }

  #skipDamaged(first: number): void {
    this.#log.error({ from: this.#cursor, before: first }, "records of the outbox are damaged and dropped");
    this.#dropped.damaged += first - this.#cursor;
    this.#cursor = first;
  }

  #schedule(): void {
    if (this.#committing !== undefined || this.#cancelTimer !== undefined) return;
    this.#cancelTimer = this.#clock.after(limits.outbox.commitMs, () => {
      this.#cancelTimer = undefined;
      this.#committing = this.#commit().finally(() => {
        this.#committing = undefined;
        if (this.#pending.length + this.#acknowledgements.length > 0 && this.#refusal === undefined) this.#schedule();
      });
    });
  }

  async #commit(): Promise<void> {
    const appends = this.#pending;
    const acknowledgements = this.#acknowledgements;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#acknowledgements = [];
    try {
      await this.#write(appends);
      if (acknowledgements.length > 0) await this.#saveCursor();
      for (const { resolve } of acknowledgements) resolve();
    } catch (cause) {
      // Linux reports a failed fsync once and then forgets the pages: what the file holds is unknown until it is read again.
      const broken = new StoreError("broken", "The outbox could not be written; restart to read it again.", { cause });
      this.#refusal = broken;
      this.#log.error({ reason: String(cause) }, broken.message);
      for (const { reject } of [...appends, ...acknowledgements, ...this.#pending, ...this.#acknowledgements])
        reject(broken);
    }
  }

  async #write(appends: readonly Append[]): Promise<void> {
    let rest = appends;
    while (rest.length > 0) {
      const records = rest.map(({ payload }, index) => ({ sequence: this.#next + index, payload }));
      const fitting = this.#segments.countFitting(records);
      if (fitting === 0) {
        const refusal = await this.#alone(() => this.#startSegment());
        if (refusal === undefined) continue;
        for (const { reject } of rest) reject(refusal);
        return;
      }
      await this.#segments.append(records.slice(0, fitting));
      this.#next += fitting;
      for (const { resolve } of rest.slice(0, fitting)) resolve();
      for (const listener of this.#listeners) listener();
      rest = rest.slice(fitting);
    }
  }

  /** A refusal when the records that would have to go must stay for now; nothing was written then. */
  async #startSegment(): Promise<StoreError | undefined> {
    const oldest = (await this.#segments.mustRecycle()) ? this.#segments.oldest : undefined;
    if (oldest !== undefined) {
      const through = oldest.nextSequence - 1;
      const from = Math.max(this.#cursor, oldest.firstSequence);
      const lost = await oldest.read(from, oldest.nextSequence, Number.MAX_SAFE_INTEGER);
      try {
        await this.#beforeRecycle(through, lost);
      } catch (cause) {
        const message = "The disk is full and old readings could not be accounted for; free some disk.";
        return new StoreError("disk", message, { cause, retryable: true });
      }
      if (this.#cursor <= through) this.#dropped.full += through + 1 - this.#cursor;
      this.#cursor = Math.max(this.#cursor, through + 1);
      // On the medium before the file is reused: what is gone must not be asked for again.
      await this.#saveCursor();
      this.#segments.freeOldest();
    }
    await this.#segments.start(this.#next);
    return undefined;
  }

  /** Reads and the recycling of what they read never overlap. */
  #alone<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#lock.then(task);
    this.#lock = done.catch(() => undefined);
    return done;
  }

  #saveCursor(): Promise<void> {
    const { full, damaged } = this.#dropped;
    return this.#cursorFile.save({ sequence: this.#cursor, droppedFull: full, droppedDamaged: damaged });
  }
}
