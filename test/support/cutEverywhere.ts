// Runs anything that keeps things on a disk once over the model, and hands out every disk that a power cut may leave.
import type { Disk } from "../../src/base/disk.ts";
import { openNodeDisk } from "../../src/store/nodeDisk.ts";
import { createCrashDisk, nodesOf } from "./crashDisk.ts";
import { type Nodes, survivors } from "./crashFiles.ts";

export const directory = "/state";

/**
 * `run` says by `promise` what its callers may rely on from that moment on. `check` gets the disk of each cut and what
 * was promised by then; it throws when that does not hold. Resolves to the number of disks.
 */
export async function cutEverywhere<Promised>(
  run: (disk: Disk, promise: (promised: Promised) => void) => Promise<void>,
  check: (disk: Disk, promised: Promised | undefined) => Promise<void>,
): Promise<number> {
  const moments: { readonly step: string; readonly nodes: Nodes; readonly promised: Promised | undefined }[] = [];
  let promised: Promised | undefined;
  const before = (step: string, nodes: Nodes): void => void moments.push({ step, nodes, promised });
  const calls = createCrashDisk({ nodes: nodesOf(new Map([[directory, undefined]])), before });
  await run(await openNodeDisk(directory, calls), (next) => {
    promised = next;
    before("a promise", calls.nodes);
  });
  let cuts = 0;
  for (const { step, nodes, promised } of moments)
    for (const tree of survivors(nodes)) {
      cuts += 1;
      const disk = await openNodeDisk(directory, createCrashDisk({ nodes: nodesOf(tree) }));
      await check(disk, promised).catch((cause: unknown) => {
        throw new Error(`cut before "${step}": ${String(cause)}`, { cause });
      });
    }
  return cuts;
}
