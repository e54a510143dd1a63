// One outbox record of telemetry: consecutive readings of one stream.
import type { Reading } from "../protocol/reports.ts";

export interface Batch {
  readonly component: string;
  readonly stream: string;
  /** Sequence number of the first reading within its stream. */
  readonly seq: number;
  readonly readings: readonly Reading[];
}

export function encodeBatch(batch: Batch): Uint8Array {
  return Buffer.from(JSON.stringify(batch));
}

/** Of a record that the outbox has already checked, so that only a bug makes it throw. */
export function parseBatch(payload: Uint8Array): Batch {
  return JSON.parse(Buffer.from(payload).toString()) as Batch;
}

/** Names hold no '/', so this is as unique as the pair. */
export function laneKey({ component, stream }: Pick<Batch, "component" | "stream">): string {
  return `${component}/${stream}`;
}
