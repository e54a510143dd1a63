// The real disk: every replacement is temporary, fsync, rename, fsync of the directory; nothing is ever written in place.
import * as nodeCalls from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Disk, DiskFile, StagedFile } from "../base/disk.ts";
import type { FileCalls, FileDescriptor } from "./fileCalls.ts";

const temporarySuffix = ".tmp";
const zeroes = new Uint8Array(256 * 1024);

/** For who only looks, also while an agent writes there. */
export const readOnlyDisk: Pick<Disk, "readFile"> = {
  readFile: (path) => orMissing(nodeCalls.readFile(path), undefined),
};

/** The disk under `root`; removes what was left half-written there, and makes durable what else was left. Paths are absolute and below `root`. */
export async function openNodeDisk(root: string, calls: FileCalls = nodeCalls): Promise<Disk> {
  let temporaries = 0;
  await makeDirectory(calls, root);
  await settle(calls, root);

  const stageFile = (path: string): Promise<StagedFile> => {
    temporaries += 1;
    return stage(calls, path, join(dirname(path), `.${basename(path)}.${temporaries}${temporarySuffix}`));
  };
  return {
    readFile: (path) => orMissing(calls.readFile(path), undefined),
    writeFile: async (path, bytes) => {
      await using staged = await stageFile(path);
      await staged.append(bytes);
      await staged.publish();
    },
    stageFile,
    remove: async (path) => {
      const removed = await orMissing(
        calls.unlink(path).then(() => true),
        false,
      );
      if (removed) await syncDirectory(calls, dirname(path));
    },
    list: async (directory) => {
      const names = await orMissing(calls.readdir(directory), []);
      return names.filter((name) => !name.endsWith(temporarySuffix)).sort();
    },
    makeDirectory: (path) => makeDirectory(calls, path),
    openFile: async (path, sizeBytes) => {
      const existing = await orMissing(calls.open(path, "r+"), undefined);
      if (existing !== undefined) return openedFile(existing);
      await using staged = await stageFile(path);
      await preallocate(staged, sizeBytes);
      await staged.publish();
      return openedFile(await calls.open(path, "r+"));
    },
    freeBytes: async (directory) => {
      const { bavail, bsize } = await calls.statfs(directory);
      return bavail * bsize;
    },
  };
}

async function stage(calls: FileCalls, path: string, temporary: string): Promise<StagedFile> {
  let file: FileDescriptor | undefined = await calls.open(temporary, "wx", 0o600);
  let position = 0;
  let isPublished = false;
  const close = async (): Promise<void> => {
    const closing = file;
    file = undefined;
    await closing?.close();
  };
  return {
    path,
    append: async (bytes) => {
      if (file !== undefined) await writeAll(file, position, bytes);
      position += bytes.length;
    },
    publish: async () => {
      await file?.sync();
      await close();
      await calls.rename(temporary, path);
      isPublished = true;
      await syncDirectory(calls, dirname(path));
    },
    [Symbol.asyncDispose]: async () => {
      await close();
      if (!isPublished) await orMissing(calls.unlink(temporary), undefined);
    },
  };
}

async function writeAll(file: FileDescriptor, position: number, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

async function openedFile(file: FileDescriptor): Promise<DiskFile> {
  const { size } = await file.stat();
  return {
    sizeBytes: size,
    read: async (position, length) => {
      const buffer = new Uint8Array(length);
      const { bytesRead } = await file.read(buffer, 0, length, position);
      return buffer.subarray(0, bytesRead);
    },
    write: (position, bytes) => writeAll(file, position, bytes),
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

async function makeDirectory(calls: FileCalls, path: string): Promise<void> {
  const first = await calls.mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncDirectory(calls, dirname(made));
}

async function syncDirectory(calls: FileCalls, path: string): Promise<void> {
  await using directory = await calls.open(path, "r");
  await directory.sync();
}

/**
 * A process that was killed between a rename and the fsync of the directory leaves a name that everybody can read and a
 * power cut can still undo. Nobody may believe in it before it is durable.
 */
async function settle(calls: FileCalls, root: string): Promise<void> {
  const entries = await calls.readdir(root, { recursive: true, withFileTypes: true });
  for (const entry of entries)
    if (entry.isFile() && entry.name.endsWith(temporarySuffix)) await calls.unlink(join(entry.parentPath, entry.name));
  await syncDirectory(calls, root);
  for (const entry of entries) if (entry.isDirectory()) await syncDirectory(calls, join(entry.parentPath, entry.name));
}

async function orMissing<T, U>(operation: Promise<T>, missing: U): Promise<T | U> {
  try {
    return await operation;
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return missing;
    throw thrown;
  }
}
