// Delivers what a deployment needs: every target of it in turn, over the link, through the downloads, into the store.
import type { Board } from "../../devices/board.ts";
import type { Clock } from "../base/clock.ts";
import type { Disk } from "../base/disk.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Ask } from "../link/ask.ts";
import { type ChunkSink, fetchChunks } from "../link/fetchChunks.ts";
import type { Link } from "../link/link.ts";
import type { Deployment } from "../protocol/deployment.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { BlobReference, VerifiedTarget } from "../protocol/release.ts";
import type { Topics } from "../protocol/topics.ts";
import { agentVersion } from "../protocol/version.ts";
import { deliver } from "./deliver.ts";
import { fetchBlob } from "./fetchBlob.ts";
import { type Memory, refuseBeforeFetch, type WantedTarget } from "./precheck.ts";
import { createRebuild } from "./rebuild.ts";
import type { Stores } from "./stores.ts";

export interface DeliveryOptions {
  readonly link: Link;
  readonly topics: Topics;
  readonly ask: Ask;
  readonly stores: Pick<Stores, "store" | "downloads">;
  readonly clock: Clock;
  readonly log: Log;
  /** Called after every chunk, with what is here of the blob. */
  readonly onProgress: (receivedBytes: number, totalBytes: number) => void;
  /** Aborted when the agent stops. */
  readonly signal: AbortSignal;
}

/** Undefined when every target is in the store. Rejects when the broker cannot be reached: try again later. */
export type Delivery = (targets: readonly VerifiedTarget[]) => Promise<Refusal | undefined>;

/** Nothing is fetched by it. */
export type Precheck = (deployment: Deployment, targets: readonly VerifiedTarget[]) => Promise<Refusal | undefined>;

export interface PrecheckOptions {
  readonly stores: Pick<Stores, "store" | "downloads">;
  readonly disk: Disk;
  readonly stateDirectory: string;
  readonly board: Pick<Board, "hardware">;
  readonly memory: () => Memory;
  /** Components that run now. */
  readonly running: () => number;
}

export function createPrecheck({ stores, disk, stateDirectory, ...options }: PrecheckOptions): Precheck {
  const { store, downloads } = stores;
  const weigh = async (target: VerifiedTarget): Promise<WantedTarget> => {
    if (store.has(target.sha256)) return { target, blobBytes: undefined };
    const delta = Object.entries(target.release.deltas).find(([base]) => store.has(base))?.[1];
    const blob = delta ?? target.release.full;
    return { target, blobBytes: blob.length - (await downloads.reservedBytes(blob)) };
  };
  return async (deployment, targets) =>
    refuseBeforeFetch(
      { deployment, targets: await Promise.all(targets.map(weigh)) },
      {
        agent: agentVersion,
        hardware: options.board.hardware,
        freeDiskBytes: await disk.freeBytes(stateDirectory),
        memory: options.memory(),
        running: options.running(),
      },
    );
}

export function createDelivery(options: DeliveryOptions): Delivery {
  const { link, topics, ask, stores, clock, log, signal } = options;
  const { store, downloads } = stores;
  const rebuild = createRebuild(clock);
  const source = { link, topics, clock, ask };
  return async (targets) => {
    for (const target of targets) {
      const refusal = await deliver(target, {
        store,
        rebuild,
        log,
        fetchBlob: (reference) =>
          fetchBlob(reference, {
            downloads,
            fetchChunks: (blob, download) =>
              fetchChunks(source, blob, watchProgress(blob, download, options.onProgress), signal),
          }),
      });
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  };
}

function watchProgress(blob: BlobReference, sink: ChunkSink, onProgress: DeliveryOptions["onProgress"]): ChunkSink {
  return {
    missing: () => sink.missing(),
    put: async (chunk, bytes) => {
      await sink.put(chunk, bytes);
      const missingBytes = sink.missing().length * limits.blob.chunkSizeBytes;
      onProgress(Math.max(0, blob.length - missingBytes), blob.length);
    },
  };
}
