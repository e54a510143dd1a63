// One blob on its way in: a preallocated file and which of its chunks are durably there, so that a reboot goes on with it.
import { basename, dirname, join } from "node:path";
import type { Disk, DiskFile } from "../base/disk.ts";
import { limits } from "../base/limits.ts";
import type { BlobReference } from "../protocol/release.ts";
import { encodeHave, parseHave } from "./haveFile.ts";
import { hashFile } from "./hashFile.ts";

export interface Download extends AsyncDisposable {
  readonly path: string;
  /** Chunks that an earlier life left here. */
  readonly resumed: number;
  /** Numbers of the chunks that are not here, ascending. */
  missing(): readonly number[];
  /** Resolves when the chunk is written; a power cut may still take it, and then it is missing again. */
  put(chunk: number, bytes: Uint8Array): Promise<void>;
  /** Whether the file has the hash of its name; asked when nothing is missing. */
  isWhole(): Promise<boolean>;
  /** Forgets every chunk, durably. */
  startOver(): Promise<void>;
  /** Takes it off the disk; nothing else may be called afterwards but dispose. */
  remove(): Promise<void>;
}

export interface Downloads {
  /** There is only one at a time. Others are removed, which bounds what abandoned ones can take. */
  open(reference: BlobReference): Promise<Download>;
  /** Bytes of this blob for which the disk has room already. */
  reservedBytes(reference: BlobReference): Promise<number>;
  /** Removes what is left of any. */
  clear(): Promise<void>;
}

const { chunkSizeBytes, chunksKept } = limits.blob;
const suffixes = { have: ".have", blob: ".blob" } as const;

export async function openDownloads(disk: Disk, directory: string): Promise<Downloads> {
  await disk.makeDirectory(directory);
  const pathOf = (sha256: string, kind: keyof typeof suffixes): string => join(directory, sha256 + suffixes[kind]);
  /** What is said to be there goes first: it must never speak of a file that is not. */
  const removeBut = async (sha256: string | undefined): Promise<void> => {
    const names = await disk.list(directory);
    const others = names.filter((name) => sha256 === undefined || !name.startsWith(`${sha256}.`));
    const order = (name: string): number => (name.endsWith(suffixes.have) ? 0 : 1);
    for (const name of others.sort((a, b) => order(a) - order(b))) await disk.remove(join(directory, name));
  };
  return {
    clear: () => removeBut(undefined),
    reservedBytes: async ({ sha256, length }) => {
      const names = await disk.list(directory);
      return names.includes(sha256 + suffixes.blob) ? length : 0;
    },
    open: async (reference) => {
      await removeBut(reference.sha256);
      const paths = { have: pathOf(reference.sha256, "have"), blob: pathOf(reference.sha256, "blob") };
      return openDownload(disk, reference, paths);
    },
  };
}

async function openDownload(
  disk: Disk,
  { sha256, length }: BlobReference,
  paths: Readonly<Record<keyof typeof suffixes, string>>,
): Promise<Download> {
  const chunks = Math.ceil(length / chunkSizeBytes);
  const file = await openSized(disk, paths, length);
  const have = parseHave(await disk.readFile(paths.have), chunks);
  const resumed = have.size;
  let unkept = 0;
  let keeping: Promise<void> = Promise.resolve();

  /** Only what was written before the sync is said to be there. */
  const keep = (): Promise<void> => {
    keeping = keeping.then(async () => {
      const written = encodeHave(have, chunks);
      await file.sync();
      await disk.writeFile(paths.have, written);
    });
    return keeping;
  };
  return {
    path: paths.blob,
    resumed,
    missing: () => Array.from({ length: chunks }, (_, chunk) => chunk).filter((chunk) => !have.has(chunk)),
    put: async (chunk, bytes) => {
      await file.write(chunk * chunkSizeBytes, bytes);
      have.add(chunk);
      unkept += 1;
      if (unkept < chunksKept) return;
      unkept = 0;
      await keep();
    },
    isWhole: async () => (await hashFile(disk, paths.blob)) === sha256,
    startOver: async () => {
      have.clear();
      unkept = 0;
      await disk.remove(paths.have);
    },
    remove: async () => {
      await disk.remove(paths.have);
      await disk.remove(paths.blob);
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** A file of another length is what is left of a blob that lied about its own: it starts afresh. */
async function openSized(
  disk: Disk,
  paths: Readonly<Record<"have" | "blob", string>>,
  length: number,
): Promise<DiskFile> {
  const names = await disk.list(dirname(paths.blob));
  if (!names.includes(basename(paths.blob))) await disk.remove(paths.have);
  const file = await disk.openFile(paths.blob, length);
  if (file.sizeBytes === length) return file;
  await file.close();
  await disk.remove(paths.have);
  await disk.remove(paths.blob);
  return disk.openFile(paths.blob, length);
}
