// Where each stream's numbering stands, for the part of its history that the outbox no longer holds.
import { join } from "node:path";
import * as v from "valibot";
import type { Disk } from "../base/disk.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { DocumentError, parseDocument } from "../protocol/document.ts";
import { laneKey, parseBatch } from "./batch.ts";
import type { Outbox } from "./outbox.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const checkpointSchema = v.strictObject({ through: count, next: v.record(v.string(), count), first: count });

export interface Checkpoint {
  /** The outbox record up to which `next` is complete; it may already count later ones. */
  readonly through: number;
  /** "component/stream" to the number of its next reading. */
  readonly next: Readonly<Record<string, number>>;
  /** The first number of a stream that is not in `next`; 1 unless a checkpoint was lost. */
  readonly first: number;
}

/** Where numbering goes on from. */
export type Numbering = Pick<Checkpoint, "next" | "first">;

/**
 * The number of every stream's next reading. It is exact over a power cut at any instant:
 * - a number counts only once its record is durable, so no number is used without a record that shows it;
 * - a record leaves the disk only after a checkpoint that covers it was saved (`Outbox.beforeRecycle`), so each record
 *   is in the checkpoint or still in the outbox's history;
 * - both only ever say "at least", so taking the larger is right wherever they overlap.
 * Of a checkpoint that the disk damaged nothing is known but how many records there were: every stream then goes on
 * beyond any number it can have used, which is a gap in its numbers and never the same number twice.
 */
export async function recoverNumbering(
  disk: Disk,
  directory: string,
  { outbox, log }: { readonly outbox: Outbox; readonly log: Log },
): Promise<Numbering> {
  const checkpoint = await loadCheckpoint(disk, directory);
  if (checkpoint === undefined) {
    const first = outbox.nextSequence * limits.outbox.batchReadings + 1;
    log.error({ directory, first }, "the numbering of streams is damaged; every stream goes on after a gap");
    return { next: {}, first };
  }
  const next: Record<string, number> = { ...checkpoint.next };
  for await (const { sequence, payload } of outbox.history()) {
    if (sequence <= checkpoint.through) continue;
    const batch = parseBatch(payload);
    const key = laneKey(batch);
    next[key] = Math.max(next[key] ?? 1, batch.seq + batch.readings.length);
  }
  return { next, first: checkpoint.first };
}

/** After it resolves a power cut cannot undo it. */
export async function saveCheckpoint(disk: Disk, directory: string, checkpoint: Checkpoint): Promise<void> {
  await disk.writeFile(pathIn(directory), Buffer.from(JSON.stringify(checkpoint)));
}

/** Undefined when it is damaged; a new gateway has an empty one. */
async function loadCheckpoint(disk: Disk, directory: string): Promise<Checkpoint | undefined> {
  await disk.makeDirectory(directory);
  const bytes = await disk.readFile(pathIn(directory));
  if (bytes === undefined) return { through: 0, next: {}, first: 1 };
  try {
    return parseDocument(checkpointSchema, bytes, {
      what: "numbering of streams",
      maxBytes: limits.outbox.segmentBytes,
    });
  } catch (error) {
    if (error instanceof DocumentError) return undefined;
    throw error;
  }
}

function pathIn(directory: string): string {
  return join(directory, "streams.json");
}
