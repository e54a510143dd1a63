// Where each stream's numbering stands, for the part of its history that the outbox no longer holds.
import { join } from "node:path";
import type { Disk } from "../base/disk.ts";
import { laneKey, parseBatch } from "./batch.ts";
import type { Outbox } from "./outbox.ts";

export interface Checkpoint {
  /** The outbox record up to which `next` is complete; it may already count later ones. */
  readonly through: number;
  /** "component/stream" to the number of its next reading. */
  readonly next: Readonly<Record<string, number>>;
}

/**
 * The number of every stream's next reading. It is exact over a power cut at any instant:
 * - a number counts only once its record is durable, so no number is used without a record that shows it;
 * - a record leaves the disk only after a checkpoint that covers it was saved (`Outbox.beforeRecycle`), so each record
 *   is in the checkpoint or still in the outbox's history;
 * - both only ever say "at least", so taking the larger is right wherever they overlap.
 */
export async function recoverNumbering(disk: Disk, directory: string, outbox: Outbox): Promise<Map<string, number>> {
  const { through, next } = await loadCheckpoint(disk, directory);
  const numbering = new Map(Object.entries(next));
  for await (const { sequence, payload } of outbox.history()) {
    if (sequence <= through) continue;
    const batch = parseBatch(payload);
    const key = laneKey(batch);
    numbering.set(key, Math.max(numbering.get(key) ?? 1, batch.seq + batch.readings.length));
  }
  return numbering;
}

/** After it resolves a power cut cannot undo it. */
export async function saveCheckpoint(disk: Disk, directory: string, checkpoint: Checkpoint): Promise<void> {
  await disk.writeFile(pathIn(directory), Buffer.from(JSON.stringify(checkpoint)));
}

async function loadCheckpoint(disk: Disk, directory: string): Promise<Checkpoint> {
  await disk.makeDirectory(directory);
  const bytes = await disk.readFile(pathIn(directory));
  if (bytes === undefined) return { through: 0, next: {} };
  return JSON.parse(Buffer.from(bytes).toString()) as Checkpoint;
}

function pathIn(directory: string): string {
  return join(directory, "streams.json");
}
