// The outbox as telemetry needs it; `store` has the real one and the agent joins them.

export interface OutboxRecord {
  readonly sequence: number;
  readonly payload: Uint8Array;
}

export interface Outbox {
  /** The sequence the next durable record will have; everything below it may have been published by an earlier run. */
  readonly nextSequence: number;
  /** Resolves when durable; a record whose append rejected may still turn up after a restart. */
  append(payload: Uint8Array): Promise<void>;
  peek(maxRecords: number, maxBytes: number): Promise<readonly OutboxRecord[]>;
  /** Everything still on the disk, acknowledged or not, oldest first. */
  history(): AsyncIterable<OutboxRecord>;
  acknowledge(sequence: number): Promise<void>;
  waitForRecords(signal: AbortSignal): Promise<void>;
  beforeRecycle(callback: (throughSequence: number, lost: readonly OutboxRecord[]) => Promise<void>): void;
}
