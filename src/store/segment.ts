// One file of the outbox: started over with a new generation each time it is recycled, appended to, and read back.
import type { DiskFile } from "../base/disk.ts";
import {
  encodeHeader,
  encodeRecord,
  headerBytes,
  type OutboxRecord,
  parseHeader,
  parseRecord,
  recordHeadBytes,
} from "./outboxRecord.ts";

/** Bytes a record takes in a segment. */
export function recordSizeBytes(payload: Uint8Array): number {
  return recordHeadBytes + payload.length;
}

export class Segment {
  readonly #file: DiskFile;
  /** 0 while it holds nothing of ours. */
  generation = 0;
  firstSequence = 0;
  /** Where each record begins. */
  #offsets: number[] = [];
  #endOffset = headerBytes;

  constructor(file: DiskFile) {
    this.#file = file;
  }

  /** The sequence after the last record. */
  get nextSequence(): number {
    return this.firstSequence + this.#offsets.length;
  }

  get isEmpty(): boolean {
    return this.#offsets.length === 0;
  }

  /** Reads what a former run left; records after the first damaged one are not seen. */
  async load(): Promise<void> {
    const bytes = await this.#file.read(0, this.#file.sizeBytes);
    const header = parseHeader(bytes);
    if (header === undefined) return;
    this.generation = header.generation;
    this.firstSequence = header.firstSequence;
    let record = parseRecord(bytes, this.#endOffset, this.generation);
    while (record !== undefined && record.sequence === this.nextSequence) {
      this.#offsets.push(record.offset);
      this.#endOffset = record.offset + recordSizeBytes(record.payload);
      record = parseRecord(bytes, this.#endOffset, this.generation);
    }
  }

  /**
   * Clears what follows the last whole record. A write that a power cut tore may have left a later record whole behind
   * a torn one, and new records of the same length would make it look like theirs.
   */
  async clearTail(): Promise<void> {
    const rest = this.#file.sizeBytes - this.#endOffset;
    if (rest > 0) await this.#file.write(this.#endOffset, new Uint8Array(rest));
    await this.#file.sync();
  }

  /**
   * Begins a new life. The header is on the medium before any record is, so that a generation whose first write was torn
   * is never given out again; nothing of a former life can then look like a record of this one.
   */
  async recycle(generation: number, firstSequence: number): Promise<void> {
    await this.#file.write(0, encodeHeader({ generation, firstSequence }));
    await this.#file.sync();
    this.generation = generation;
    this.firstSequence = firstSequence;
    this.#offsets = [];
    this.#endOffset = headerBytes;
  }

  /** How many of `records`, from the first on, may be appended here. */
  countFitting(records: readonly OutboxRecord[]): number {
    if (records[0]?.sequence !== this.nextSequence) return 0;
    let end = this.#endOffset;
    for (const [index, { payload }] of records.entries()) {
      end += recordSizeBytes(payload);
      if (end > this.#file.sizeBytes) return index;
    }
    return records.length;
  }

  /** Resolves when a power cut cannot undo it: one write, one sync. After a rejection the file may hold anything. */
  async append(records: readonly OutboxRecord[]): Promise<void> {
    const encoded = records.map((record) => encodeRecord(record, this.generation));
    await this.#file.write(this.#endOffset, Buffer.concat(encoded));
    await this.#file.sync();
    for (const bytes of encoded) {
      this.#offsets.push(this.#endOffset);
      this.#endOffset += bytes.length;
    }
  }

  /** Consecutive records, the first at `sequence` or at the next whole one; at most `maxRecords`, and `maxBytes` when more than one. */
  async read(sequence: number, maxRecords: number, maxBytes: number): Promise<readonly OutboxRecord[]> {
    const first = sequence - this.firstSequence;
    const offset = this.#offsets[first];
    if (offset === undefined) return [];
    let last = Math.min(first + maxRecords, this.#offsets.length);
    while (last > first + 1 && this.#offsetOf(last) - offset > maxBytes) last -= 1;
    const bytes = await this.#file.read(offset, this.#offsetOf(last) - offset);
    const records = this.#offsets.slice(first, last).map((at) => parseRecord(bytes, at - offset, this.generation));
    const damaged = records.indexOf(undefined);
    if (damaged === 0) return this.read(sequence + 1, maxRecords, maxBytes);
    return records.slice(0, damaged < 0 ? undefined : damaged).filter((record) => record !== undefined);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #offsetOf(index: number): number {
    return this.#offsets[index] ?? this.#endOffset;
  }
}
