// How far the outbox is acknowledged: two checksummed slots written in turn, so that one is always whole.
import type { Disk, DiskFile } from "../base/disk.ts";
import { type Cursor, cursorSlotBytes, encodeCursor, parseCursor } from "./outboxRecord.ts";

export interface CursorFile {
  /** The newest whole slot at open; undefined when there is none. */
  readonly initial: Cursor | undefined;
  /** Resolves when a power cut cannot undo it; one call at a time. Never called again after it rejected. */
  save(cursor: Omit<Cursor, "turn">): Promise<void>;
  close(): Promise<void>;
}

export async function openCursorFile(disk: Disk, path: string): Promise<CursorFile> {
  const file: DiskFile = await disk.openFile(path, 2 * cursorSlotBytes);
  const slots = await Promise.all([0, 1].map((slot) => file.read(slot * cursorSlotBytes, cursorSlotBytes)));
  const whole = slots.map(parseCursor).filter((cursor) => cursor !== undefined);
  const initial = whole.sort((a, b) => b.turn - a.turn)[0];
  let turn = initial?.turn ?? 0;
  return {
    initial,
    save: async (cursor) => {
      turn += 1;
      await file.write((turn % 2) * cursorSlotBytes, encodeCursor({ ...cursor, turn }));
      await file.sync();
    },
    close: () => file.close(),
  };
}
