// Files a person names on the command line; "-" is standard input.
import { readFile } from "node:fs/promises";
import { OperatorError } from "../operator/error.ts";

/** Rejects with OperatorError "file-missing" or "file-failed" that names the file. */
export async function readInput(path: string, what: string): Promise<Uint8Array> {
  try {
    return await readFile(path === "-" ? "/dev/stdin" : path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new OperatorError("file-missing", `There is no ${what} ${path}.`, { cause });
    throw new OperatorError("file-failed", `The ${what} ${path} cannot be read: ${message}.`, { cause });
  }
}
