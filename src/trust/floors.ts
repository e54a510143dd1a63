// The gateway's memory of what it has seen, kept outside the metadata cache so that losing the cache forgets nothing.
import { join } from "node:path";
import * as v from "valibot";
import type { Disk } from "../base/disk.ts";
import { DocumentError, parseDocument } from "../protocol/document.ts";
import { TrustError } from "./error.ts";
import type { Role, TrustedRoot } from "./tuf.ts";

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const floorSchema = v.strictObject({
  value: whole,
  /** Ids of the keys that could sign for it, and the root version that said so. */
  keys: v.array(v.string()),
  root: whole,
});
type Floor = v.InferOutput<typeof floorSchema>;

/** Name, such as "image/timestamp" or "image/counter/boiler", to floor. */
export const floorsSchema = v.strictObject({ format: v.literal(1), floors: v.record(v.string(), floorSchema) });

export type Floors = ReadonlyMap<string, Floor>;

/** A quantity that only grows, and the role whose keys vouch for it. */
export interface FloorName {
  readonly name: string;
  readonly role: Role;
}

/** Lowest value still accepted; 0 when there is none, or when a newer root took a key from the role (TUF 5.3.11). */
export function floorOf(floors: Floors, { name, role }: FloorName, root: TrustedRoot): number {
  const floor = floors.get(name);
  if (floor === undefined) return 0;
  // Only a key that is gone can have been stolen: adding keys, or an older root, resets nothing.
  const revoked = floor.root < root.version && floor.keys.some((key) => !root.keys[role].includes(key));
  return revoked ? 0 : floor.value;
}

/** The floors with one raised to `value`; never lowered but by a revoked key. */
export function raiseFloor(floors: Floors, floor: FloorName, raise: { root: TrustedRoot; value: number }): Floors {
  const value = Math.max(raise.value, floorOf(floors, floor, raise.root));
  return new Map(floors).set(floor.name, { value, keys: [...raise.root.keys[floor.role]], root: raise.root.version });
}

const copies = ["floors.json", "floors.copy.json"];

/** Reads the first whole copy; none at all is a gateway that has never verified anything. */
export async function loadFloors(disk: Disk, directory: string): Promise<Floors> {
  let unreadable: DocumentError | undefined;
  for (const copy of copies) {
    const bytes = await disk.readFile(join(directory, copy));
    if (bytes === undefined) continue;
    try {
      const { floors } = parseDocument(floorsSchema, bytes, { what: copy });
      return new Map(Object.entries(floors));
    } catch (thrown) {
      if (!(thrown instanceof DocumentError)) throw thrown;
      unreadable = thrown;
    }
  }
  if (unreadable === undefined) return new Map();
  const message = `Both copies of ${copies[0]} in ${directory} are damaged: ${unreadable.message} Check the medium; remove both only after deploying once more.`;
  throw new TrustError("floors-unreadable", message, { cause: unreadable });
}

/** Durable once it resolves; a power cut on the way leaves at least one copy whole. */
export async function saveFloors(disk: Disk, directory: string, floors: Floors): Promise<void> {
  const document = { format: 1, floors: Object.fromEntries([...floors].sort(([a], [b]) => (a < b ? -1 : 1))) };
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  for (const copy of copies) {
    const path = join(directory, copy);
    const kept = await disk.readFile(path);
    // A poll that brings nothing new must not wear the flash.
    if (kept === undefined || Buffer.compare(kept, bytes) !== 0) await disk.writeFile(path, bytes);
  }
}
