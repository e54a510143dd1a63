// One agent a state directory: a lock of the operating system on a file there, which ends with the process that has it.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describeError } from "../base/error.ts";
import { ConfigError } from "./config.ts";

/** SQLITE_BUSY: somebody else has the lock. */
const busy = 5;

/**
 * SQLite is the only way in Node to a lock that kill -9 leaves harmless: its locks are the kernel's (fcntl), seen across
 * containers that share the directory, with no process id to compare and no stale file to judge. Nothing is ever written
 * to it. ConfigError "locked" when another agent runs there, "unwritable" when the directory does not let us.
 */
export function lockState(directory: string): Disposable {
  const path = join(directory, "lock");
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    database?.close();
    throw describeFailure(directory, cause);
  }
  const held = database;
  return { [Symbol.dispose]: () => held.close() };
}

function describeFailure(directory: string, cause: unknown): ConfigError {
  if (cause instanceof Error && "errcode" in cause && cause.errcode === busy)
    return new ConfigError("locked", `Another outstationd runs on ${directory}. Stop it first, or choose --state.`, {
      cause,
    });
  const message = `${directory} cannot be written (${describeError(cause)}). Give it to the user that runs outstationd.`;
  return new ConfigError("unwritable", message, { cause });
}
