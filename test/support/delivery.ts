// Delivery without a process: blobs through the real downloads of any disk, rebuilt in memory.
import { fetchBlob } from "../../src/agent/fetchBlob.ts";
import type { DeliveryContext } from "../../src/agent/deliver.ts";
import { RebuildError, type Rebuild } from "../../src/agent/rebuild.ts";
import type { Clock } from "../../src/base/clock.ts";
import type { Disk } from "../../src/base/disk.ts";
import { fetchChunks } from "../../src/link/fetchChunks.ts";
import type { Link } from "../../src/link/link.ts";
import { expand } from "../../src/protocol/compression.ts";
import { createTopics } from "../../src/protocol/topics.ts";
import { openDownloads } from "../../src/store/downloads.ts";
import { createEagerClock } from "./manualClock.ts";
import { piecesOf } from "./expand.ts";

export interface TestDelivery {
  readonly disk: Disk;
  readonly directory: string;
  readonly link: Link;
  /** First part of every topic. */
  readonly root?: string;
  /** Left out: what is not there at once is missing. */
  readonly clock?: Clock;
}

/** A broker that is a function has answered by the next turn of the event loop, or never does. */
const turnClock: Clock = {
  ...createEagerClock(),
  after: (_ms, task) => {
    const turn = setImmediate(task);
    return () => clearImmediate(turn);
  },
};

export async function openDelivery(options: TestDelivery): Promise<Pick<DeliveryContext, "fetchBlob" | "rebuild">> {
  const { disk, directory, link, root, clock = turnClock } = options;
  const downloads = await openDownloads(disk, directory);
  const source = { link, topics: createTopics(root), clock };
  const { signal } = new AbortController();
  return {
    rebuild: rebuildIn(disk),
    fetchBlob: (reference) =>
      fetchBlob(reference, { downloads, fetchChunks: (blob, download) => fetchChunks(source, blob, download, signal) }),
  };
}

/** What the process does, without a process. */
export function rebuildIn(disk: Pick<Disk, "readFile">): Rebuild {
  return async function* ({ blobPath, basePath, lengthBytes }) {
    // What the disk is to blame for is not the blob's fault, and thrown as it is.
    const base = basePath === undefined ? undefined : await disk.readFile(basePath);
    const blob = (await disk.readFile(blobPath)) ?? new Uint8Array();
    try {
      yield* expand(piecesOf(blob), { maxBytes: lengthBytes, base });
    } catch (cause) {
      throw new RebuildError("blob", "it does not expand", { cause });
    }
  };
}
