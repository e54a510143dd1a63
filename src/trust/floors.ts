// The gateway's memory of what it has seen, kept outside the metadata cache so that losing the cache forgets nothing.
import { join } from "node:path";
import * as v from "valibot";
import type { Disk } from "../base/disk.ts";
import { limits } from "../base/limits.ts";
import { DocumentError, parseDocument } from "../protocol/document.ts";
import { TrustError } from "./error.ts";
import type { Authority } from "./tuf/metadata.ts";

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const floorSchema = v.strictObject({
  value: whole,
  /** Ids of the keys that could sign for it, and the version of the metadata that said so: a root, or targets. */
  keys: v.array(v.string()),
  root: whole,
});
type Floor = v.InferOutput<typeof floorSchema>;

/** Name, such as "image/timestamp" or "image/counter/boiler", to floor: a quantity that only grows. */
export const floorsSchema = v.strictObject({ format: v.literal(1), floors: v.record(v.string(), floorSchema) });

export type Floors = ReadonlyMap<string, Floor>;

/**
 * Lowest value still accepted; 0 when there is none, or when newer metadata took a key from the role that vouches for
 * it (TUF 5.3.11).
 */
export function floorOf(floors: Floors, name: string, authority: Authority): number {
  const floor = floors.get(name);
  if (floor === undefined) return 0;
  // Only a key that is gone can have been stolen: adding keys, or older metadata, resets nothing.
  const revoked = floor.root < authority.version && floor.keys.some((key) => !authority.keys.includes(key));
  return revoked ? 0 : floor.value;
}

/** The floors with one raised to `value`; never lowered but by a revoked key. */
export function raiseFloor(floors: Floors, name: string, raise: { authority: Authority; value: number }): Floors {
  const { authority } = raise;
  const value = Math.max(raise.value, floorOf(floors, name, authority));
  return new Map(floors).set(name, { value, keys: [...authority.keys], root: authority.version });
}

/**
 * Of publishers only the latest count: whoever has the targets keys could name new ones in every round, until the file
 * is longer than what is read of it.
 */
function forgetOldPublishers(floors: readonly (readonly [string, Floor])[]): (readonly [string, Floor])[] {
  const isPublishers = ([name]: readonly [string, Floor]): boolean =>
    /^image\/(publisher\/|counter\/[^/]+\/)/.test(name);
  const publishers = floors.filter(isPublishers).sort(([, a], [, b]) => b.root - a.root);
  return [...floors.filter((floor) => !isPublishers(floor)), ...publishers.slice(0, limits.trust.publisherFloors)];
}

const copies = ["floors.json", "floors.copy.json"];

/** Reads the first whole copy; none at all is a gateway that has never verified anything. */
export async function loadFloors(disk: Pick<Disk, "readFile">, directory: string): Promise<Floors> {
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
  const kept = forgetOldPublishers([...floors]).sort(([a], [b]) => (a < b ? -1 : 1));
  const document = { format: 1, floors: Object.fromEntries(kept) };
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  for (const copy of copies) {
    const path = join(directory, copy);
    const kept = await disk.readFile(path);
    // A poll that brings nothing new must not wear the flash.
    if (kept === undefined || Buffer.compare(kept, bytes) !== 0) await disk.writeFile(path, bytes);
  }
}
