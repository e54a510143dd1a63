// Gives memory back as soon as it is done with: pieces of a transfer would else pile up until some garbage collection.

/**
 * The bytes are gone afterwards. Call it for pieces that nobody else holds; a view of a larger buffer is left alone,
 * since others may look at the rest of that.
 */
export function releaseBytes(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength) buffer.transfer(0);
}
