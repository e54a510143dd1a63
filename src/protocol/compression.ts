// How components travel: whole as zstd, or as a zstd delta with the installed bytes as dictionary; output is always bounded.
import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";
import { OutstationError, describeError } from "../base/error.ts";

export class CompressionError extends OutstationError<"too-large" | "corrupt"> {}

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** A decoder is asked for at most 128 MiB of window, so an encoder may not use more. */
const windowLogMax = 27;
const windowLogMin = 10;

/** The whole component at level 19; slow, done once by the operator. */
export function compressFull(bytes: Uint8Array): Promise<Uint8Array> {
  return compress(bytes, {
    params: { [constants.ZSTD_c_compressionLevel]: 19, [constants.ZSTD_c_checksumFlag]: 1 },
  });
}

/** What rebuilds `next` from `base`. Without the checksum a base that differs in one byte would decode to wrong bytes silently. */
export function makeDelta(base: Uint8Array, next: Uint8Array): Promise<Uint8Array> {
  return compress(next, {
    dictionary: base,
    params: {
      [constants.ZSTD_c_compressionLevel]: 12,
      [constants.ZSTD_c_checksumFlag]: 1,
      [constants.ZSTD_c_windowLog]: windowLogFor(base.byteLength + next.byteLength),
    },
  });
}

/** Undoes compressFull; rejects with "too-large" before more than `maxBytes` are produced. */
export function expandFull(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  return expand(bytes, maxBytes, undefined);
}

/** Undoes makeDelta; the caller still checks the hash of the result. */
export function applyDelta(base: Uint8Array, delta: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  return expand(delta, maxBytes, base);
}

async function expand(bytes: Uint8Array, maxBytes: number, dictionary: Uint8Array | undefined): Promise<Uint8Array> {
  const params = { [constants.ZSTD_d_windowLogMax]: windowLogMax };
  const options = { maxOutputLength: maxBytes, params, ...(dictionary === undefined ? {} : { dictionary }) };
  try {
    return await decompress(bytes, options);
  } catch (cause) {
    if (cause instanceof RangeError)
      throw new CompressionError("too-large", `The blob unpacks to more than ${maxBytes} bytes.`, { cause });
    throw new CompressionError("corrupt", `The blob cannot be unpacked: ${describeError(cause)}.`, { cause });
  }
}

function windowLogFor(bytes: number): number {
  return Math.min(windowLogMax, Math.max(windowLogMin, Math.ceil(Math.log2(bytes + 1))));
}
