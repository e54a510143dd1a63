// Runs the process that rebuilds a component from a blob, with a deadline, and gives out its bytes as they come.
import { fork, type ChildProcess } from "node:child_process";
import { extname } from "node:path";
import type { Clock } from "../base/clock.ts";
import { OutstationError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { RebuildEnd, RebuildJob } from "./rebuildChild.ts";

/** `blob`: these bytes do not expand to a component; `ended`: the process was lost or too slow, which may go better. */
export class RebuildError extends OutstationError<"blob" | "ended"> {}

/** At most the job's length and one piece; throws RebuildError. Who stops reading ends the process. */
export type Rebuild = (job: RebuildJob) => AsyncIterable<Uint8Array>;

export function createRebuild(clock: Clock): Rebuild {
  return (job) => rebuild(job, clock);
}

async function* rebuild(job: RebuildJob, clock: Clock): AsyncGenerator<Uint8Array> {
  const script = new URL(`./rebuildChild${extname(import.meta.filename)}`, import.meta.url);
  const child = fork(script, {
    stdio: ["ignore", "pipe", "ignore", "ipc"],
    env: {},
    execArgv: [`--max-old-space-size=${limits.blob.rebuildMemoryMb}`],
  });
  const cancel = clock.after(limits.blob.rebuildMs, () => child.kill("SIGKILL"));
  const ended = watchEnd(child);
  // It may end while its last bytes are still read; who waits for it below hears of it then.
  ended.catch(() => undefined);
  try {
    child.send(job, () => undefined);
    for await (const piece of child.stdout ?? []) yield piece as Uint8Array;
    const { failed } = await ended;
    if (failed !== undefined) throw new RebuildError("blob", failed);
  } finally {
    cancel();
    child.kill("SIGKILL");
  }
}

/** What the process says of itself; rejects when it ends without a word. */
function watchEnd(child: ChildProcess): Promise<RebuildEnd> {
  return new Promise((resolve, reject) => {
    child.once("message", (end: RebuildEnd) => resolve(end));
    child.once("error", (cause) => reject(endedError(cause.message, cause)));
    child.once("exit", (code, signal) => reject(endedError(`it ended by itself (${signal ?? code})`)));
  });
}

function endedError(what: string, cause?: unknown): RebuildError {
  const message = `The process that rebuilds a component failed: ${what}. Is the machine out of memory or processes?`;
  return new RebuildError("ended", message, { cause, retryable: true });
}
