// Releases on the wire: the whole component as zstd, or a zstd delta with an installed component as its dictionary.
import { pipeline } from "node:stream";
import { promisify } from "node:util";
import { constants, createZstdDecompress, zstdCompress } from "node:zlib";
import { OutstationError } from "../base/error.ts";
import { limits } from "../base/limits.ts";

/** `too-large`: more output than was asked for; `corrupt`: not zstd, cut short, or made from another base. */
export class CompressionError extends OutstationError<"too-large" | "corrupt"> {}

const compress = promisify(zstdCompress);
const fullLevel = 19;
/** The largest window every zstd decoder accepts without being told. */
const windowLogMax = 27;
/** Its tables take six bytes for each of two to this power. */
const tableLogMax = 26;

/** For gateways that have none of the releases a delta was made from. Runs off the event loop. */
export function compressFull(bytes: Uint8Array): Promise<Uint8Array> {
  const params = { [constants.ZSTD_c_compressionLevel]: fullLevel, [constants.ZSTD_c_checksumFlag]: 1 };
  return compress(bytes, { params });
}

/**
 * What rebuilds `next` on a gateway that holds exactly `base`. Runs off the event loop: 5 s and 0.4 GB for 13 MB, once
 * for all gateways.
 */
export function makeDelta(base: Uint8Array, next: Uint8Array): Promise<Uint8Array> {
  const windowLog = Math.min(windowLogMax, Math.max(10, Math.ceil(Math.log2(base.length + next.length + 1))));
  const tableLog = Math.min(tableLogMax, windowLog);
  const params = {
    // A memory image has runs of three equal bytes between addresses that moved; no level looks for them in a
    // dictionary this large. Measured: a tenth less than level 12; 18 and 19 forget most of the dictionary.
    [constants.ZSTD_c_strategy]: constants.ZSTD_btultra,
    [constants.ZSTD_c_minMatch]: 3,
    [constants.ZSTD_c_searchLog]: 5,
    [constants.ZSTD_c_targetLength]: 64,
    [constants.ZSTD_c_chainLog]: tableLog,
    [constants.ZSTD_c_hashLog]: tableLog - 2,
    // Without it a delta on a wrong base decodes to wrong bytes and says nothing.
    [constants.ZSTD_c_checksumFlag]: 1,
    [constants.ZSTD_c_windowLog]: windowLog,
  };
  return compress(next, { params, dictionary: Buffer.from(base) });
}

export interface Expansion {
  /** The signed length: output past it is never made, so a bomb does not unfold. */
  readonly maxBytes: number;
  /** The exact bytes a delta was made from. */
  readonly base?: Uint8Array | undefined;
}

/** Small texts that share much with the dictionary. The window is as small as they are: a reader needs little memory. */
export function pack(bytes: Uint8Array, dictionary: Uint8Array): Promise<Uint8Array> {
  const params = { [constants.ZSTD_c_compressionLevel]: fullLevel, [constants.ZSTD_c_checksumFlag]: 1 };
  return compress(bytes, { params, dictionary: Buffer.from(dictionary) });
}

/** What `pack` was given, at once. Rejects with CompressionError. */
export async function unpack(dictionary: Uint8Array, packed: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of expand(once(packed), { maxBytes, base: dictionary })) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/**
 * What `compressFull` or `makeDelta` was given, piece by piece; the caller checks its hash, so neither needs trust.
 * Throws CompressionError; of a bomb at most one piece over `maxBytes` is ever in memory.
 */
export async function* expand(
  compressed: AsyncIterable<Uint8Array>,
  { maxBytes, base }: Expansion,
): AsyncGenerator<Uint8Array> {
  const decoder = createZstdDecompress({
    chunkSize: limits.blob.pieceBytes,
    params: { [constants.ZSTD_d_windowLogMax]: windowLogFor(maxBytes + (base?.byteLength ?? 0)) },
    ...(base && { dictionary: Buffer.from(base.buffer, base.byteOffset, base.byteLength) }),
  });
  // Its error also destroys the decoder, which then throws it where we read.
  pipeline(compressed, decoder, () => undefined);
  let length = 0;
  try {
    for await (const piece of decoder as AsyncIterable<Uint8Array>) {
      length += piece.byteLength;
      if (length > maxBytes) throw new CompressionError("too-large", `It expands to more than ${maxBytes} bytes.`);
      yield piece;
    }
  } catch (cause) {
    if (cause instanceof CompressionError) throw cause;
    throw new CompressionError("corrupt", "It is not zstd, is cut short, or was made from another base.", { cause });
  } finally {
    decoder.destroy();
  }
}

/** Large enough for what it may expand to with its base before it; level 19 never takes less than 2^23. */
function windowLogFor(bytes: number): number {
  return Math.min(windowLogMax, Math.max(23, Math.ceil(Math.log2(bytes + 1))));
}
