// Watches the sizes that a broker announces in packet headers, because MQTT 3.1.1 has no way to tell it our bound.

/** Takes the bytes of a connection as they come; true at the header of a packet over `maxBytes`, before its body is here. */
export function createPacketBound(maxBytes: number): (bytes: Uint8Array) => boolean {
  let bodyLeft = 0;
  let lengthBytes = -1;
  let length = 0;
  return (bytes) => {
    let at = 0;
    while (at < bytes.length) {
      if (bodyLeft > 0) {
        const skipped = Math.min(bodyLeft, bytes.length - at);
        bodyLeft -= skipped;
        at += skipped;
        continue;
      }
      const byte = bytes[at] ?? 0;
      at += 1;
      if (lengthBytes < 0) {
        lengthBytes = 0;
        length = 0;
        continue;
      }
      // MQTT-2.2.3 (3.1.1), 1.5.5 (5): seven bits a byte, the highest bit says that another byte follows.
      length += (byte & 127) * 128 ** lengthBytes;
      lengthBytes += 1;
      if (length > maxBytes) return true;
      if (byte < 128) {
        bodyLeft = length;
        lengthBytes = -1;
      }
    }
    return false;
  };
}
