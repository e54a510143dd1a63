// Acknowledges inbound messages in their order of arrival, each only after its handler settled.

/** A PUBACK with reason "success": the same four bytes in MQTT 3.1.1 (3.4) and MQTT 5 (3.4.2.1). */
export function encodePuback(messageId: number): Uint8Array {
  return Uint8Array.of(0x40, 2, messageId >> 8, messageId & 0xff);
}

/**
 * Returns a function to call for each inbound QoS 1 message, in order. Handlers run side by side (one may wait for a
 * document that comes over the same connection), the acknowledgements go out in the order of arrival (MQTT-4.6.0-2).
 */
export function createAcknowledger(send: (packet: Uint8Array) => void): (id: number, handled: Promise<void>) => void {
  let earlier = Promise.resolve();
  return (id, handled) => {
    earlier = Promise.all([earlier, handled]).then(() => send(encodePuback(id)));
  };
}
