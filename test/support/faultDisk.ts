// A disk in memory that forgets what was not synced, and fails or loses power at the Nth operation it is told to.
import type { Disk, DiskFile } from "../../src/base/disk.ts";
import { stageInMemory } from "./memoryDisk.ts";

/** What a power cut leaves of writes that were not synced: nothing, all, or one half of each. */
export const survivals = ["dropped", "kept", "first-half", "second-half"] as const;
export type Survival = (typeof survivals)[number];

export type Fault =
  | { readonly at: number; readonly kind: "fail" }
  | { readonly at: number; readonly kind: "cut"; readonly survival: Survival };

export interface FaultDisk extends Disk {
  /** Operations that change something, so far. */
  readonly operations: number;
  /** Whether the fault has happened. */
  readonly hit: boolean;
  /** The disk as the next boot finds it: unsynced writes survive as `survival` says. */
  reboot(survival?: Survival, fault?: Fault): FaultDisk;
  /** Spoils bytes in place, as a dying medium does. */
  damage(path: string, position: number): void;
  truncate(path: string, length: number): void;
}

interface StoredFile {
  durable: Uint8Array;
  unsynced: { readonly position: number; readonly bytes: Uint8Array }[];
}

export function createFaultDisk(fault?: Fault, files: ReadonlyMap<string, Uint8Array> = new Map()): FaultDisk {
  const stored = new Map<string, StoredFile>();
  for (const [path, bytes] of files) stored.set(path, { durable: bytes.slice(), unsynced: [] });
  let operations = 0;
  let off = false;
  /** True when the operation is to be done; rejects when it fails, after doing it or not when the power goes with it. */
  const begin = async (effect: () => void): Promise<void> => {
    if (off) throw new Error("the power is off");
    operations += 1;
    const hit = operations === fault?.at;
    if (hit && fault?.kind === "fail") throw new Error("EIO: injected");
    if (hit && fault?.kind === "cut") {
      off = true;
      if (fault.survival !== "dropped") effect();
      throw new Error("the power went");
    }
    effect();
  };
  const fileAt = (path: string): StoredFile => {
    const file = stored.get(path);
    if (file === undefined) throw new Error(`ENOENT: ${path}`);
    return file;
  };
  const openedFile = (path: string): DiskFile => ({
    sizeBytes: fileAt(path).durable.length,
    read: async (position, length) => viewOf(fileAt(path), "kept").slice(position, position + length),
    write: (position, bytes) =>
      begin(() => void fileAt(path).unsynced.push({ position, bytes: Uint8Array.from(bytes) })),
    sync: () =>
      begin(() => {
        if (off) return;
        const file = fileAt(path);
        file.durable = viewOf(file, "kept");
        file.unsynced = [];
      }),
    close: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  });
  const writeFile: Disk["writeFile"] = (path, bytes) =>
    begin(() => void stored.set(path, { durable: Uint8Array.from(bytes), unsynced: [] }));
  return {
    get operations() {
      return operations;
    },
    get hit() {
      return fault !== undefined && operations >= fault.at;
    },
    readFile: async (path) => {
      const file = stored.get(path);
      return file && viewOf(file, "kept");
    },
    writeFile,
    stageFile: async (path) => {
      const staged = stageInMemory(path, writeFile);
      // It can fail or be the last thing that happens; what was appended is gone with the power either way.
      return { ...staged, append: (bytes) => begin(() => undefined).then(() => staged.append(bytes)) };
    },
    freeBytes: async () => 1024 ** 3,
    remove: (path) => begin(() => void stored.delete(path)),
    list: async (directory) => [...stored.keys()].filter(inside(directory)).map(nameIn(directory)).sort(),
    makeDirectory: async () => undefined,
    openFile: async (path, sizeBytes) => {
      if (!stored.has(path))
        await begin(() => void stored.set(path, { durable: new Uint8Array(sizeBytes), unsynced: [] }));
      return openedFile(path);
    },
    reboot: (survival = "dropped", next) =>
      createFaultDisk(next, new Map([...stored].map(([path, file]) => [path, viewOf(file, survival)]))),
    damage: (path, position) => {
      const { durable } = fileAt(path);
      durable[position] = (durable[position] ?? 0) ^ 0xff;
    },
    truncate: (path, length) => {
      const file = fileAt(path);
      file.durable = file.durable.slice(0, length);
    },
  };
}

function viewOf(file: StoredFile, survival: Survival): Uint8Array {
  const view = file.durable.slice();
  for (const { position, bytes } of file.unsynced) {
    const half = bytes.length >> 1;
    if (survival === "kept") view.set(bytes, position);
    if (survival === "first-half") view.set(bytes.subarray(0, half), position);
    if (survival === "second-half") view.set(bytes.subarray(half), position + half);
  }
  return view;
}

function inside(directory: string): (path: string) => boolean {
  return (path) => path.startsWith(`${directory}/`);
}

function nameIn(directory: string): (path: string) => string {
  return (path) => path.slice(directory.length + 1);
}
