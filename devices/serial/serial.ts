// What a serial port is to the rest of the product; the linux and the simulated driver both are one of these.

export interface SerialPort extends AsyncDisposable {
  /**
   * Waits for data and resolves with 1 to `maxBytes` bytes. One read waits at a time.
   * Rejects with DeviceError "disconnected" when the device went away, "closed" after close,
   * or the signal's reason. Bytes that arrive while nobody reads are buffered, bounded; overflow drops the oldest and counts.
   */
  read(maxBytes: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** Resolves when the bytes are handed to the line. */
  write(bytes: Uint8Array): Promise<void>;
  /** Bytes lost because nobody read them in time. */
  readonly overrunBytes: number;
  close(): Promise<void>;
}

/** Framing comes from the board file, never from a component. */
export interface SerialSettings {
  readonly baudRate: number;
  readonly dataBits: 7 | 8;
  readonly stopBits: 1 | 2;
  readonly parity: "none" | "even" | "odd";
}
