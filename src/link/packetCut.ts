// Cuts a message over our bound to its beginning: one that is retained would otherwise end every connection there is.

const publishType = 3;

/**
 * Takes the bytes of a connection as they come and returns what the parser is to see. A PUBLISH with a body over
 * `maxBytes` ends there; whoever asked for it refuses what is left. Beyond `mostBytes` nothing is changed.
 */
export function createPacketCut(maxBytes: number, mostBytes: number): (bytes: Uint8Array) => Uint8Array {
  let header: number[] = [];
  let passing = 0;
  let skipping = 0;
  const begin = (): Uint8Array => {
    const [first = 0, ...digits] = header;
    header = [];
    // MQTT-2.2.3 (3.1.1): seven bits a byte.
    const length = digits.reduce((sum, digit, place) => sum + (digit & 127) * 128 ** place, 0);
    const isCut = first >> 4 === publishType && length > maxBytes && length <= mostBytes;
    passing = isCut ? maxBytes : length;
    skipping = length - passing;
    return Uint8Array.from(isCut ? [first, ...encodeLength(maxBytes)] : [first, ...digits]);
  };
  return (bytes) => {
    // Within a message that passes whole, nothing is to be looked at and nothing is copied.
    if (skipping === 0 && passing >= bytes.length) {
      passing -= bytes.length;
      return bytes;
    }
    const parts: Uint8Array[] = [];
    let isChanged = header.length > 0;
    for (let at = 0; at < bytes.length;) {
      if (passing + skipping > 0) {
        const part = bytes.subarray(at, at + (passing || skipping));
        if (passing > 0) parts.push(part);
        if (passing > 0) passing -= part.length;
        else {
          skipping -= part.length;
          isChanged = true;
        }
        at += part.length;
        continue;
      }
      header.push(bytes[at++] ?? 0);
      const isWhole = header.length > 1 && ((header.at(-1) ?? 0) < 128 || header.length === 5);
      if (!isWhole) continue;
      parts.push(begin());
      isChanged ||= skipping > 0;
    }
    return isChanged || header.length > 0 ? Buffer.concat(parts) : bytes;
  };
}

function encodeLength(length: number): readonly number[] {
  const rest = Math.floor(length / 128);
  return rest === 0 ? [length] : [(length % 128) | 128, ...encodeLength(rest)];
}
