// Metadata on the wire: each file packed with a shared dictionary, or a whole round as the difference from the one before.
import { unpack, pack } from "./compression.ts";
import { packingDictionary } from "./packingDictionary.ts";

/** Told with every packed file, unsigned: it can only make a reader look for what is not there, or not look. */
export interface PackingHint {
  /** Newest root version there is, so that nobody waits for one that was never published. */
  readonly root: number;
  /** The newest snapshot version, and the oldest from which the difference to it is published. */
  readonly snapshot: number;
  readonly oldestBase: number;
}

export interface UnpackedFile {
  readonly bytes: Uint8Array;
  /** Undefined for a file that came as it is. */
  readonly hint: PackingHint | undefined;
}

const fileFormat = 1;
const roundFormat = 2;
const hintBytes = 13;

export async function packFile(bytes: Uint8Array, { root, snapshot, oldestBase }: PackingHint): Promise<Uint8Array> {
  const head = new DataView(new ArrayBuffer(hintBytes));
  head.setUint8(0, fileFormat);
  head.setUint32(1, root);
  head.setUint32(5, snapshot);
  head.setUint32(9, oldestBase);
  return Buffer.concat([new Uint8Array(head.buffer), await pack(bytes, packingDictionary)]);
}

/** A file that was published as it is passes unchanged. Rejects with CompressionError. */
export async function unpackFile(payload: Uint8Array, maxBytes: number): Promise<UnpackedFile> {
  if (payload[0] !== fileFormat || payload.length < hintBytes) return { bytes: payload, hint: undefined };
  const head = new DataView(payload.buffer, payload.byteOffset, hintBytes);
  const hint = { root: head.getUint32(1), snapshot: head.getUint32(5), oldestBase: head.getUint32(9) };
  return { bytes: await unpack(packingDictionary, payload.subarray(hintBytes), maxBytes), hint };
}

/** The topic level of what leads from the round with this snapshot version to the newest one. */
export function roundFile(baseSnapshot: number): string {
  return `from.${baseSnapshot}.round`;
}

export function isRoundFile(name: string): boolean {
  return name.startsWith("from.") && name.endsWith(".round");
}

/** Files by the names under which they are fetched, given to somebody who holds `base`: those files, in that order. */
export async function packRound(
  files: ReadonlyMap<string, Uint8Array>,
  base: readonly Uint8Array[],
): Promise<Uint8Array> {
  const index = JSON.stringify([...files].map(([name, bytes]) => [name, bytes.length]));
  const content = Buffer.concat([Buffer.from(`${index}\n`), ...files.values()]);
  return Buffer.concat([Uint8Array.of(roundFormat), await pack(content, dictionaryOf(base))]);
}

/**
 * The files of a round; undefined when it is none, or was made from another base: the files themselves are then
 * fetched one by one. What comes out needs no trust, since every file is verified by whoever wanted it.
 */
export async function unpackRound(
  payload: Uint8Array,
  base: readonly Uint8Array[],
  maxBytes: number,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const content = await unpack(dictionaryOf(base), payload.subarray(1), maxBytes);
  const end = content.indexOf(0x0a);
  const files = new Map<string, Uint8Array>();
  let offset = end + 1;
  for (const [name, length] of parseIndex(content.subarray(0, Math.max(0, end)))) {
    files.set(name, content.subarray(offset, offset + length));
    offset += length;
  }
  return files;
}

function parseIndex(bytes: Uint8Array): readonly (readonly [string, number])[] {
  const index: unknown = JSON.parse(new TextDecoder().decode(bytes));
  if (!Array.isArray(index)) return [];
  return index.filter(
    (entry): entry is [string, number] =>
      Array.isArray(entry) && typeof entry[0] === "string" && Number.isSafeInteger(entry[1]) && entry[1] >= 0,
  );
}

function dictionaryOf(base: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([packingDictionary, ...base]);
}
