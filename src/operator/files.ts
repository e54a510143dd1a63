// The only use of the file system on the operator side: whole files, replaced atomically, private ones kept private.
import type { Stats } from "node:fs";
import { type FileHandle, mkdir, open, readFile, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { OperatorError } from "./error.ts";

export const privateMode = 0o600;
const publicMode = 0o644;

/** Replaces the file whole (temporary, fsync, rename, fsync of the directory) and makes its directory when needed. */
export async function writeFileAtomic(path: string, content: Uint8Array | string, mode = publicMode): Promise<void> {
  const directory = dirname(path);
  await mkdir(directory, { recursive: true });
  await replaceFile(path, content, mode);
  await orFailed(path, () => syncDirectory(directory));
}

/** The same for several files of one directory, by name, in no order; all are durable when it resolves. */
export async function writeFilesAtomic(
  directory: string,
  files: ReadonlyMap<string, Uint8Array | string>,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  await Promise.all([...files].map(([name, content]) => replaceFile(join(directory, name), content, publicMode)));
  await orFailed(directory, () => syncDirectory(directory));
}

/** The file's bytes; `what` names it in the error when there is none. */
export async function readBytes(path: string, what: string): Promise<Uint8Array> {
  const bytes = await readBytesIfPresent(path);
  if (bytes !== undefined) return bytes;
  throw new OperatorError("file-missing", `There is no ${what} at ${path}. Check the path.`);
}

export async function readText(path: string, what: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path, what));
}

export async function readBytesIfPresent(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    const message = `${path} could not be read: ${(cause as Error).message}. Check its permissions.`;
    throw new OperatorError("file-failed", message, { cause });
  }
}

/** Reads a secret; refuses one that anybody but its owner could read. */
export async function readPrivateText(path: string, what: string): Promise<string> {
  const text = await readText(path, what);
  const { mode } = await stat(path);
  if ((mode & 0o077) === 0) return text;
  const message = `The ${what} at ${path} can be read by others. Run: chmod 600 ${path}, and replace the key if it was exposed.`;
  throw new OperatorError("file-exposed", message);
}

/** Moves a file within one file system, making the directory it goes to. */
export async function moveFile(from: string, to: string): Promise<void> {
  try {
    await mkdir(dirname(to), { recursive: true });
    await rename(from, to);
  } catch (cause) {
    throw new OperatorError("file-failed", `${from} could not be moved: ${(cause as Error).message}.`, { cause });
  }
}

/** Part of a file, shorter at its end; undefined when there is no file. */
export async function readSlice(
  path: string,
  { offset, lengthBytes }: { readonly offset: number; readonly lengthBytes: number },
): Promise<Uint8Array | undefined> {
  const file = await openIfPresent(path);
  if (file === undefined) return undefined;
  try {
    const buffer = new Uint8Array(lengthBytes);
    const { bytesRead } = await file.read(buffer, 0, lengthBytes, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function openIfPresent(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new OperatorError("file-failed", `${path} could not be read: ${(cause as Error).message}.`, { cause });
  }
}

/** The length of a file that is there; 0 when it is not, so that whoever reads it says so. */
export async function readSizeBytes(path: string): Promise<number> {
  let found: Stats;
  try {
    found = await stat(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw new OperatorError("file-failed", `${path} could not be read: ${(cause as Error).message}.`, { cause });
  }
  // A device or a pipe says 0, and may have no end.
  if (found.isFile()) return found.size;
  throw new OperatorError("file-failed", `${path} is no file. Give a file, or a link to one.`);
}

export async function isPresent(path: string): Promise<boolean> {
  return (await readBytesIfPresent(path)) !== undefined;
}

/** Names in a directory, sorted; empty when there is none, or a file. */
export async function listNames(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw cause;
  }
}

/** No error when there is none. */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
}

async function replaceFile(path: string, content: Uint8Array | string, mode: number): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await orFailed(path, async () => {
    try {
      await writeSynced(temporary, content, mode);
      await rename(temporary, path);
    } catch (cause) {
      await rm(temporary, { force: true });
      throw cause;
    }
  });
}

async function orFailed(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (cause) {
    const message = `${path} could not be written: ${(cause as Error).message}. Check the space and permissions there.`;
    throw new OperatorError("file-failed", message, { cause });
  }
}

async function writeSynced(path: string, content: Uint8Array | string, mode: number): Promise<void> {
  // One left over from a crash would keep its own, perhaps wider, mode.
  await rm(path, { force: true });
  const file = await open(path, "wx", mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const opened = await open(directory, "r");
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}
