// A disk in memory, without faults: every write is there at once.
import type { Disk, StagedFile } from "../../src/base/disk.ts";

export interface MemoryDisk extends Disk {
  readonly files: Map<string, Uint8Array>;
  /** While set, writes fail with it and change nothing. */
  failure: Error | undefined;
  /** What `freeBytes` says. */
  free: number;
}

export function createMemoryDisk(files = new Map<string, Uint8Array>()): MemoryDisk {
  const disk: MemoryDisk = {
    files,
    failure: undefined,
    free: 1024 ** 3,
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
    stageFile: async (path) => stageInMemory(path, disk.writeFile),
    openFile: async (path, sizeBytes) => {
      const bytes = files.get(path) ?? new Uint8Array(sizeBytes);
      if (!files.has(path)) await disk.writeFile(path, bytes);
      return {
        sizeBytes: bytes.length,
        read: async (position, length) => (files.get(path) ?? bytes).slice(position, position + length),
        write: async (position, written) => {
          if (disk.failure !== undefined) throw disk.failure;
          files.get(path)?.set(written, position);
        },
        sync: async () => undefined,
        close: async () => undefined,
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
    freeBytes: async () => disk.free,
  };
  return disk;
}

/** A staged file for a disk that writes whole files: kept aside until it is published, then written at once. */
export function stageInMemory(path: string, writeFile: Disk["writeFile"]): StagedFile {
  const pieces: Uint8Array[] = [];
  return {
    path,
    append: async (bytes) => void pieces.push(Uint8Array.from(bytes)),
    publish: () => writeFile(path, Buffer.concat(pieces)),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
