// A short-lived process that expands one blob to its standard output: zstd's window and a delta's base are its memory.
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { describeError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { CompressionError, expand } from "../protocol/compression.ts";

/** Parent to child, once. */
export interface RebuildJob {
  /** A file with exactly the bytes of the blob. */
  readonly blobPath: string;
  /** The component a delta was made from. */
  readonly basePath?: string | undefined;
  readonly lengthBytes: number;
}

/** Child to parent, after the last byte: nothing else is wrong than what it says. */
export interface RebuildEnd {
  readonly failed?: string;
}

process.once("message", (job: RebuildJob) => {
  rebuild(job).then(
    () => end({}),
    (thrown: unknown) => (isBlobs(thrown) ? end({ failed: describeError(thrown) }) : process.exit(1)),
  );
});

/** What the disk could not read is not the blob's fault: the parent sees this process end without a word. */
function isBlobs(thrown: unknown): boolean {
  const { cause } = thrown as { readonly cause?: unknown };
  const isDisks = typeof cause === "object" && cause !== null && "syscall" in cause;
  return thrown instanceof CompressionError && !isDisks;
}

async function rebuild({ blobPath, basePath, lengthBytes }: RebuildJob): Promise<void> {
  const base = basePath === undefined ? undefined : await readFile(basePath);
  const blob = createReadStream(blobPath, { highWaterMark: limits.blob.pieceBytes });
  // When the agent is gone nobody reads this any more: the next write fails, and the process ends.
  await pipeline(expand(blob, { maxBytes: lengthBytes, base }), process.stdout);
}

/** Once the parent has it all: what is still on its way would be cut off. */
function end(message: RebuildEnd): void {
  process.stdout.write("", () => process.send?.(message, () => process.exit(0)));
}
