// A Disk that is a Map, for tests that need files and no medium.
import type { Disk } from "../../src/base/disk.ts";

export interface MemoryDisk extends Disk {
  readonly files: Map<string, Uint8Array>;
}

export function createMemoryDisk(): MemoryDisk {
  const files = new Map<string, Uint8Array>();
  return {
    files,
    readFile: async (path) => files.get(path),
    writeFile: async (path, bytes) => void files.set(path, Uint8Array.from(bytes)),
    remove: async (path) => void files.delete(path),
    list: async (directory) =>
      [...files.keys()]
        .filter((path) => path.startsWith(`${directory}/`))
        .map((path) => path.slice(directory.length + 1).split("/")[0] ?? "")
        .filter((name, index, names) => names.indexOf(name) === index)
        .sort(),
    makeDirectory: async () => {},
    openFile: () => Promise.reject(new Error("the memory disk has no positioned files")),
  };
}
