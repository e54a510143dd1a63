// The ring of outbox segments: which are in use, in which order, and which one is recycled next.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Disk } from "../base/disk.ts";
import { describeError } from "../base/error.ts";
import type { Log } from "../base/log.ts";
import type { OutboxRecord } from "./outboxRecord.ts";
import { Segment } from "./segment.ts";

export interface SegmentsOptions {
  readonly segmentBytes: number;
  readonly totalBytes: number;
  readonly log: Log;
}

const filePattern = /^segment-\d+$/;
/** Made at open, so that a disk that is full later always leaves one to recycle. */
const preallocated = 2;

export class Segments {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #options: SegmentsOptions;
  /** Holding records, oldest first; the last is appended to. */
  #used: Segment[] = [];
  #free: Segment[] = [];
  #files = 0;
  #generation = 0;

  constructor(disk: Disk, directory: string, options: SegmentsOptions) {
    this.#disk = disk;
    this.#directory = directory;
    this.#options = options;
  }

  /** Reads every segment and makes the newest ready to be appended to. */
  async open(): Promise<void> {
    const names = (await this.#disk.list(this.#directory)).filter((name) => filePattern.test(name));
    const loaded: Segment[] = [];
    for (const name of names) loaded.push(await this.#openSegment(name));
    this.#files = names.length;
    const lived = loaded.filter((segment) => segment.generation > 0).sort((a, b) => a.generation - b.generation);
    this.#generation = lived.at(-1)?.generation ?? 0;
    this.#used = lived.filter((segment) => !segment.isEmpty);
    this.#free = loaded.filter((segment) => segment.isEmpty);
    while (this.#files < preallocated) this.#free.push(await this.#addSegment());
    await this.#used.at(-1)?.clearTail();
  }

  get nextSequence(): number {
    return this.#used.at(-1)?.nextSequence ?? 1;
  }

  get oldest(): Segment | undefined {
    return this.#used[0];
  }

  /** The first sequence that is still on the disk. */
  get firstSequence(): number {
    return this.#used[0]?.firstSequence ?? this.nextSequence;
  }

  /** Whether the next segment must be taken from the oldest records, because every file is in use. */
  async mustRecycle(): Promise<boolean> {
    if (this.#free.length > 0) return false;
    const most = Math.max(preallocated, Math.floor(this.#options.totalBytes / this.#options.segmentBytes));
    if (this.#files >= most) return true;
    try {
      this.#free.push(await this.#addSegment());
      return false;
    } catch (thrown) {
      const reason = describeError(thrown);
      this.#options.log.warn({ reason }, "no room for another outbox segment; the oldest readings give way instead");
      return true;
    }
  }

  /** Gives up the oldest segment; its records are gone from now on. */
  freeOldest(): void {
    const oldest = this.#used.shift();
    if (oldest !== undefined) this.#free.push(oldest);
  }

  /** How many of `records` go into the current segment; 0 when a new one must be started first. */
  countFitting(records: readonly OutboxRecord[]): number {
    return this.#used.at(-1)?.countFitting(records) ?? 0;
  }

  /** Starts the next segment; there must be a free one. */
  async start(firstSequence: number): Promise<void> {
    const next = this.#free.shift();
    assert(next !== undefined, "a segment is started only after one was freed");
    this.#generation += 1;
    await next.recycle(this.#generation, firstSequence);
    this.#used.push(next);
  }

  async append(records: readonly OutboxRecord[]): Promise<void> {
    await this.#used.at(-1)?.append(records);
  }

  /** From `sequence`, or from the first after it that is left, within one segment. */
  async read(sequence: number, maxRecords: number, maxBytes: number): Promise<readonly OutboxRecord[]> {
    for (const segment of this.#used) {
      if (segment.nextSequence <= sequence) continue;
      const records = await segment.read(Math.max(sequence, segment.firstSequence), maxRecords, maxBytes);
      if (records.length > 0) return records;
    }
    return [];
  }

  async close(): Promise<void> {
    for (const segment of [...this.#used, ...this.#free]) await segment.close();
  }

  async #addSegment(): Promise<Segment> {
    const segment = await this.#openSegment(`segment-${this.#files}`);
    this.#files += 1;
    return segment;
  }

  async #openSegment(name: string): Promise<Segment> {
    const segment = new Segment(await this.#disk.openFile(join(this.#directory, name), this.#options.segmentBytes));
    await segment.load();
    return segment;
  }
}
