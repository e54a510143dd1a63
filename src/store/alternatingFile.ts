// One JSON document in two files written in turn, so that a disk which tears or loses the last write still has the one before.
import { join } from "node:path";
import type { Disk } from "../base/disk.ts";
import { sha256Hex } from "../base/hash.ts";
import type { Log } from "../base/log.ts";

export interface AlternatingFile {
  /** The newest whole document at open; undefined when there is none. */
  readonly initial: unknown;
  /** Replaces the older of the two files by one rename; the other stays until the next replacement. */
  replace(document: unknown): Promise<void>;
}

interface Slot {
  readonly generation: number;
  readonly document: unknown;
}

/** Opens `<name>.json` and `<name>.1.json`; a damaged one is logged and passed over. Callers replace one at a time. */
export async function openAlternatingFile(
  disk: Disk,
  directory: string,
  name: string,
  log: Log,
): Promise<AlternatingFile> {
  await disk.makeDirectory(directory);
  const paths = pathsOf(directory, name);
  const { slot, place } = await readNewest(disk, paths, log);
  let newest = place;
  let generation = slot?.generation ?? 0;
  return {
    initial: slot?.document,
    replace: async (document) => {
      const path = newest === 0 ? paths[1] : paths[0];
      await disk.writeFile(path, encodeSlot({ generation: generation + 1, document }));
      generation += 1;
      newest = newest === 0 ? 1 : 0;
    },
  };
}

/** The newest whole document, for who only looks: nothing is made or written. */
export async function readAlternatingFile(
  disk: Pick<Disk, "readFile">,
  directory: string,
  name: string,
  log: Log,
): Promise<unknown> {
  return (await readNewest(disk, pathsOf(directory, name), log)).slot?.document;
}

function pathsOf(directory: string, name: string): readonly [string, string] {
  return [join(directory, `${name}.json`), join(directory, `${name}.1.json`)];
}

async function readNewest(
  disk: Pick<Disk, "readFile">,
  paths: readonly string[],
  log: Log,
): Promise<{ readonly slot: Slot | undefined; readonly place: number }> {
  const slots = await Promise.all(paths.map((path) => readSlot(disk, path, log)));
  const [first, second] = slots;
  const place = (second?.generation ?? 0) > (first?.generation ?? 0) ? 1 : 0;
  return { slot: slots[place], place };
}

function encodeSlot(slot: Slot): Uint8Array {
  const text = JSON.stringify(slot);
  return Buffer.from(`${sha256Hex(Buffer.from(text))}\n${text}\n`);
}

async function readSlot(disk: Pick<Disk, "readFile">, path: string, log: Log): Promise<Slot | undefined> {
  const bytes = await disk.readFile(path);
  if (bytes === undefined) return undefined;
  const [sha256, text = ""] = Buffer.from(bytes).toString().split("\n");
  if (sha256Hex(Buffer.from(text)) === sha256) return JSON.parse(text) as Slot;
  log.error({ path }, "a file is damaged; the copy written before it is used");
  return undefined;
}
