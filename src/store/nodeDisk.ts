// The real disk: every replacement is temporary, fsync, rename, fsync of the directory; nothing is ever written in place.
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, statfs, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Disk, DiskFile, StagedFile } from "../base/disk.ts";

const temporarySuffix = ".tmp";
const zeroes = new Uint8Array(256 * 1024);

/** For who only looks, also while an agent writes there. */
export const readOnlyDisk: Pick<Disk, "readFile"> = { readFile: (path) => orMissing(readFile(path), undefined) };

/** The disk under `root`; removes what a power cut left half-written there. Paths are absolute and below `root`. */
export async function openNodeDisk(root: string): Promise<Disk> {
  let temporaries = 0;
  await makeDirectory(root);
  await removeTemporaries(root);

  const stageFile = (path: string): Promise<StagedFile> => {
    temporaries += 1;
    return stage(path, join(dirname(path), `.${basename(path)}.${temporaries}${temporarySuffix}`));
  };
  return {
    ...readOnlyDisk,
    writeFile: async (path, bytes) => {
      await using staged = await stageFile(path);
      await staged.append(bytes);
      await staged.publish();
    },
    stageFile,
    remove: async (path) => {
      const removed = await orMissing(
        unlink(path).then(() => true),
        false,
      );
      if (removed) await syncDirectory(dirname(path));
    },
    list: async (directory) => {
      const names = await orMissing(readdir(directory), []);
      return names.filter((name) => !name.endsWith(temporarySuffix)).sort();
    },
    makeDirectory,
    openFile: async (path, sizeBytes) => {
      const existing = await orMissing(open(path, "r+"), undefined);
      if (existing !== undefined) return openedFile(existing);
      await using staged = await stageFile(path);
      await preallocate(staged, sizeBytes);
      await staged.publish();
      return openedFile(await open(path, "r+"));
    },
    freeBytes: async (directory) => {
      const { bavail, bsize } = await statfs(directory);
      return bavail * bsize;
    },
  };
}

async function stage(path: string, temporary: string): Promise<StagedFile> {
  let file: FileHandle | undefined = await open(temporary, "wx", 0o600);
  let isPublished = false;
  const close = async (): Promise<void> => {
    const closing = file;
    file = undefined;
    await closing?.close();
  };
  return {
    path,
    append: async (bytes) => {
      await file?.writeFile(bytes);
    },
    publish: async () => {
      await file?.sync();
      await close();
      await rename(temporary, path);
      isPublished = true;
      await syncDirectory(dirname(path));
    },
    [Symbol.asyncDispose]: async () => {
      await close();
      if (!isPublished) await rm(temporary, { force: true });
    },
  };
}

async function openedFile(file: FileHandle): Promise<DiskFile> {
  const { size } = await file.stat();
  return {
    sizeBytes: size,
    read: async (position, length) => {
      const buffer = new Uint8Array(length);
      const { bytesRead } = await file.read(buffer, 0, length, position);
      return buffer.subarray(0, bytesRead);
    },
    write: async (position, bytes) => {
      for (let written = 0; written < bytes.length;) {
        const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
        written += bytesWritten;
      }
    },
    sync: () => file.datasync(),
    close: () => file.close(),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** Real zeroes, not a hole: later writes then change neither the size nor the map of the file, and cannot run out of disk. */
async function preallocate(file: StagedFile, sizeBytes: number): Promise<void> {
  for (let position = 0; position < sizeBytes; position += zeroes.length)
    await file.append(zeroes.subarray(0, Math.min(zeroes.length, sizeBytes - position)));
}

async function makeDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncDirectory(dirname(made));
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, "r");
  await directory.sync();
}

async function removeTemporaries(root: string): Promise<void> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const entry of entries)
    if (entry.isFile() && entry.name.endsWith(temporarySuffix)) await unlink(join(entry.parentPath, entry.name));
}

async function orMissing<T, U>(operation: Promise<T>, missing: U): Promise<T | U> {
  try {
    return await operation;
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return missing;
    throw thrown;
  }
}
