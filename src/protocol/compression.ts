// Releases on the wire: the whole component as zstd, or a zstd delta with an installed component as its dictionary.
import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";
import { OutstationError } from "../base/error.ts";

/** `too-large`: more output than was asked for; `corrupt`: not zstd, cut short, or made from another base. */
export class CompressionError extends OutstationError<"too-large" | "corrupt"> {}

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const fullLevel = 19;
/** Measured: level 3 finds nothing in a large dictionary, 19 costs thirty times the time and gains nothing. */
const deltaLevel = 12;
/** The largest window every zstd decoder accepts without being told. */
const windowLogMax = 27;

/** For gateways that have none of the releases a delta was made from. Runs off the event loop. */
export function compressFull(bytes: Uint8Array): Promise<Uint8Array> {
  const params = { [constants.ZSTD_c_compressionLevel]: fullLevel, [constants.ZSTD_c_checksumFlag]: 1 };
  return compress(bytes, { params });
}

/** What rebuilds `next` on a gateway that holds exactly `base`. Runs off the event loop. */
export function makeDelta(base: Uint8Array, next: Uint8Array): Promise<Uint8Array> {
  const windowLog = Math.min(windowLogMax, Math.max(10, Math.ceil(Math.log2(base.length + next.length + 1))));
  const params = {
    [constants.ZSTD_c_compressionLevel]: deltaLevel,
    // Without it a delta on a wrong base decodes to wrong bytes and says nothing.
    [constants.ZSTD_c_checksumFlag]: 1,
    [constants.ZSTD_c_windowLog]: windowLog,
  };
  return compress(next, { params, dictionary: Buffer.from(base) });
}

/** Rejects with CompressionError as soon as the output would pass `maxBytes`: a bomb never unfolds. */
export function expandFull(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  return expand(bytes, maxBytes);
}

/** The bytes `makeDelta` was given; the caller still checks their hash, so a delta needs no trust. */
export function applyDelta(base: Uint8Array, delta: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  return expand(delta, maxBytes, Buffer.from(base));
}

/** Small texts that share much with the dictionary. The window is as small as they are: a reader needs little memory. */
export function pack(bytes: Uint8Array, dictionary: Uint8Array): Promise<Uint8Array> {
  const params = { [constants.ZSTD_c_compressionLevel]: fullLevel, [constants.ZSTD_c_checksumFlag]: 1 };
  return compress(bytes, { params, dictionary: Buffer.from(dictionary) });
}

/** What `pack` was given. Rejects with CompressionError, as for deltas. */
export function applyPacked(dictionary: Uint8Array, packed: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  return expand(packed, maxBytes, Buffer.from(dictionary));
}

async function expand(bytes: Uint8Array, maxBytes: number, dictionary?: Buffer): Promise<Uint8Array> {
  const params = { [constants.ZSTD_d_windowLogMax]: windowLogMax };
  try {
    return await decompress(bytes, { params, maxOutputLength: maxBytes, ...(dictionary && { dictionary }) });
  } catch (cause) {
    const tooLarge = cause instanceof Error && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE";
    if (tooLarge) throw new CompressionError("too-large", `It expands to more than ${maxBytes} bytes.`, { cause });
    throw new CompressionError("corrupt", "It is not zstd, is cut short, or was made from another base.", { cause });
  }
}
