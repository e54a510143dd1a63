// The last verified list of who may command this gateway, kept so that commands work after a boot without a director.
import { join } from "node:path";
import type { Disk } from "../base/disk.ts";
import type { Log } from "../base/log.ts";
import { operatorsSchema, type Operators } from "../protocol/command.ts";
import { DocumentError, parseDocument } from "../protocol/document.ts";

export interface OperatorsFile {
  read(): Operators | undefined;
  /** Takes effect at once; resolves when a power cut cannot undo it. Only a verified list may come here. */
  replace(operators: Operators): Promise<void>;
}

/** A damaged file is logged and taken as none: until the director is reached, commands are refused. */
export async function openOperators(disk: Disk, directory: string, log: Log): Promise<OperatorsFile> {
  const path = join(directory, "operators.json");
  let current = parseOperators(await disk.readFile(path), log);
  return {
    read: () => current,
    replace: async (operators) => {
      if (JSON.stringify(operators) === JSON.stringify(current)) return;
      current = operators;
      await disk.writeFile(path, new TextEncoder().encode(JSON.stringify(operators)));
    },
  };
}

function parseOperators(bytes: Uint8Array | undefined, log: Log): Operators | undefined {
  if (bytes === undefined) return undefined;
  try {
    return parseDocument(operatorsSchema, bytes, { what: "list of operators" });
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    log.error({ reason: error.message }, "the list of operators is damaged; it is fetched anew");
    return undefined;
  }
}
