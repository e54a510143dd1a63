// A disk in memory: whole files only, all that small state needs.
import type { Disk } from "../../src/base/disk.ts";

export interface MemoryDisk extends Disk {
  readonly files: Map<string, Uint8Array>;
  /** While set, writes fail with it and change nothing. */
  failure: Error | undefined;
}

export function createMemoryDisk(files = new Map<string, Uint8Array>()): MemoryDisk {
  const disk: MemoryDisk = {
    files,
    failure: undefined,
    readFile: async (path) => files.get(path)?.slice(),
    writeFile: async (path, bytes) => {
      if (disk.failure !== undefined) throw disk.failure;
      files.set(path, bytes.slice());
    },
    remove: async (path) => void files.delete(path),
    list: async (directory) =>
      [...files.keys()]
        .filter((path) => path.startsWith(`${directory}/`))
        .map((path) => path.slice(directory.length + 1).split("/")[0] ?? "")
        .filter((name, index, names) => names.indexOf(name) === index)
        .sort(),
    makeDirectory: async () => {},
    openFile: async (path) => {
      throw new Error(`${path}: this disk has no positioned files`);
    },
  };
  return disk;
}
