// One signer a workspace at a time: two processes that sign the next version would sign two different ones.
import { AsyncLocalStorage } from "node:async_hooks";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describeError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { OperatorError } from "./error.ts";
import type { Workspace } from "./workspace.ts";

/** SQLITE_BUSY: somebody else has the lock. */
const busy = 5;

/** Directories whose lock the running task has. */
const held = new AsyncLocalStorage<readonly string[]>();

/**
 * Runs the task while nobody else signs in this workspace; at once when it is part of one that has the lock. The lock is the kernel's (see the agent's), so a process that
 * was killed leaves nothing behind. OperatorError "workspace-busy" (retryable) after `limits.workspace.lockMs`.
 */
export async function withWorkspaceLock<T>({ directory, clock }: Workspace, task: () => Promise<T>): Promise<T> {
  const before = held.getStore() ?? [];
  if (before.includes(directory)) return task();
  const untilMs = clock.monotonicMs() + limits.workspace.lockMs;
  for (;;) {
    using lock = tryLock(directory);
    if (lock !== undefined) return await held.run([...before, directory], task);
    if (clock.monotonicMs() > untilMs) {
      const seconds = limits.workspace.lockMs / 1000;
      const message = `Another outstation has signed in ${directory} for ${seconds} s. Try again when it is done.`;
      throw new OperatorError("workspace-busy", message, { retryable: true });
    }
    await clock.sleep(limits.workspace.lockPollMs);
  }
}

function tryLock(directory: string): Disposable | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(directory, "lock"), { timeout: 0 });
    database.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    database?.close();
    if (cause instanceof Error && "errcode" in cause && cause.errcode === busy) return undefined;
    const message = `${directory} cannot be written: ${describeError(cause)}. Check its permissions.`;
    throw new OperatorError("file-failed", message, { cause });
  }
  const opened = database;
  return { [Symbol.dispose]: () => opened.close() };
}
