// The bytes of the outbox: segment headers, records and cursor slots, each with a CRC that stale or torn bytes fail.
import { crc32 } from "node:zlib";

export const headerBytes = 32;
export const recordHeadBytes = 16;
export const cursorSlotBytes = 512;
const headerMagic = 0x4f55_5442;
const cursorMagic = 0x4f55_5443;

/** Generations grow by one with every segment that is started, new or recycled. */
export interface SegmentHeader {
  readonly generation: number;
  readonly firstSequence: number;
}

export interface OutboxRecord {
  /** 1, 2, 3 … without gaps, over every restart. */
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** A record with its place in a segment. */
export interface PlacedRecord extends OutboxRecord {
  readonly offset: number;
}

export interface Cursor {
  /** Which slot is newer. */
  readonly turn: number;
  /** The first sequence that is not acknowledged. */
  readonly sequence: number;
  /** Records lost to the size bound, and to damage, since the outbox was made. */
  readonly droppedFull: number;
  readonly droppedDamaged: number;
}

export function encodeHeader({ generation, firstSequence }: SegmentHeader): Uint8Array {
  return withCrc(headerBytes, headerMagic, [generation, firstSequence]);
}

export function parseHeader(bytes: Uint8Array): SegmentHeader | undefined {
  const [generation, firstSequence] = checked(bytes, headerBytes, headerMagic, 2) ?? [];
  return generation === undefined || firstSequence === undefined ? undefined : { generation, firstSequence };
}

export function encodeCursor(cursor: Cursor): Uint8Array {
  const { turn, sequence, droppedFull, droppedDamaged } = cursor;
  return withCrc(cursorSlotBytes, cursorMagic, [turn, sequence, droppedFull, droppedDamaged]);
}

export function parseCursor(bytes: Uint8Array): Cursor | undefined {
  const [turn, sequence, droppedFull = 0, droppedDamaged = 0] = checked(bytes, cursorSlotBytes, cursorMagic, 4) ?? [];
  return turn === undefined || sequence === undefined ? undefined : { turn, sequence, droppedFull, droppedDamaged };
}

/** len u32 | crc32 u32 | sequence u64 | payload. The CRC also covers the segment's generation, which is not stored. */
export function encodeRecord({ sequence, payload }: OutboxRecord, generation: number): Uint8Array {
  const bytes = new Uint8Array(recordHeadBytes + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length);
  view.setBigUint64(8, BigInt(sequence));
  bytes.set(payload, recordHeadBytes);
  view.setUint32(4, recordCrc(bytes, generation));
  return bytes;
}

/** The record at `offset`; undefined when there is none of this generation, or it is torn or damaged. */
export function parseRecord(bytes: Uint8Array, offset: number, generation: number): PlacedRecord | undefined {
  if (offset + recordHeadBytes > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, recordHeadBytes);
  const end = offset + recordHeadBytes + view.getUint32(0);
  if (end > bytes.length) return undefined;
  const record = bytes.subarray(offset, end);
  if (recordCrc(record, generation) !== view.getUint32(4)) return undefined;
  return { offset, sequence: Number(view.getBigUint64(8)), payload: record.slice(recordHeadBytes) };
}

function recordCrc(record: Uint8Array, generation: number): number {
  const life = new DataView(new ArrayBuffer(12));
  life.setBigUint64(0, BigInt(generation));
  life.setUint32(8, record.length);
  return crc32(record.subarray(8), crc32(new Uint8Array(life.buffer)));
}

function withCrc(length: number, magic: number, numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic);
  for (const [index, number] of numbers.entries()) view.setBigUint64(8 + index * 8, BigInt(number));
  view.setUint32(4, crc32(bytes.subarray(8)));
  return bytes;
}

function checked(bytes: Uint8Array, length: number, magic: number, count: number): readonly number[] | undefined {
  if (bytes.length < length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  if (view.getUint32(0) !== magic || view.getUint32(4) !== crc32(bytes.subarray(8, length))) return undefined;
  return Array.from({ length: count }, (_, index) => Number(view.getBigUint64(8 + index * 8)));
}
