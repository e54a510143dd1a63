// A private temporary directory for one run of the Updater, which writes in place; nothing in it survives the run.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Scratch extends AsyncDisposable {
  readonly directory: string;
  /** Undefined when the run left no such file. */
  read(file: string): Promise<Uint8Array | undefined>;
}

/** Makes the directory with these files in it; disposing removes it. */
export async function openScratch(files: ReadonlyMap<string, Uint8Array>): Promise<Scratch> {
  const directory = await mkdtemp(join(tmpdir(), "outstation-trust-"));
  for (const [file, bytes] of files) await writeFile(join(directory, file), bytes);
  return {
    directory,
    read: (file) => readIfPresent(join(directory, file)),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

async function readIfPresent(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
}
