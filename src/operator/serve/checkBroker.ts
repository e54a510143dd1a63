// What the broker should hold and does not: a broker that was wiped, or restored from an old backup, is filled again.
import { limits } from "../../base/limits.ts";
import { LinkError } from "../../link/link.ts";
import { CompressionError } from "../../protocol/compression.ts";
import { unpackFile } from "../../protocol/packing.ts";
import { listLiveBlobs, listNewestBlobs } from "../liveBlobs.ts";
import { publishDirector, publishImage } from "../publish.ts";
import { publishBlobs } from "../publishBlobs.ts";
import { readBytesIfPresent, readSizeBytes } from "../files.ts";
import { listGateways } from "../repository/director.ts";
import { blobPath, directorDirectory, directorRootDirectory, imageDirectory } from "../repository/places.ts";
import { listRoots, timestampFile } from "../repository/repository.ts";
import type { Session } from "../session.ts";
import type { Workspace } from "../workspace.ts";
import { join } from "node:path";

export interface Republished {
  readonly image: boolean;
  readonly directors: number;
  readonly blobs: number;
}

/** Looks at one small message of each thing that should be there, and publishes again what is missing or older. */
export async function refillBroker(workspace: Workspace, session: Session): Promise<Republished> {
  const { link, topics } = session;
  const gateways = await listGateways(workspace);
  const live = new Set([...(await listLiveBlobs(workspace, gateways)), ...(await listNewestBlobs(workspace))]);
  const holdsDirector = (gateway: string): Promise<boolean> => {
    const topic = topics.gateway(gateway).director(timestampFile);
    const rootDirectory = directorRootDirectory(workspace);
    return holdsTimestamp(session, { directory: directorDirectory(workspace, gateway), rootDirectory, topic });
  };
  const imagePlace = { directory: imageDirectory(workspace), rootDirectory: imageDirectory(workspace) };
  // At once, since each thing that is missing takes its time to be missed.
  const [missing, holdsImage, stale] = await Promise.all([
    filterInWindow([...live], async (sha256) => !(await holdsBlob(workspace, session, sha256))),
    holdsTimestamp(session, { ...imagePlace, topic: topics.image(timestampFile) }),
    filterInWindow(gateways, async (gateway) => !(await holdsDirector(gateway))),
  ]);
  if (missing.length > 0) await publishBlobs(workspace, missing, link);
  const image = !holdsImage;
  if (image) await publishImage(workspace, link);
  for (const gateway of stale) await publishDirector(workspace, gateway, link);
  return { image, directors: stale.length, blobs: missing.length };
}

/** By its last chunk, which is the smallest: chunks are published in order. */
async function holdsBlob(workspace: Workspace, { link, topics }: Session, sha256: string): Promise<boolean> {
  const { chunkSizeBytes } = limits.blob;
  const lengthBytes = await readSizeBytes(blobPath(workspace, sha256));
  const last = Math.max(0, Math.ceil(lengthBytes / chunkSizeBytes) - 1);
  const found = await fetchIfHeld(link, topics.blob(sha256, last));
  return found?.length === lengthBytes - last * chunkSizeBytes;
}

interface HeldPlace {
  readonly directory: string;
  readonly rootDirectory: string;
  readonly topic: string;
}

/**
 * The very timestamp that is on disk, and with it the newest root's version: an older one, or one that somebody else
 * wrote, is as good as none, and so is a hint that hides the newest root.
 */
async function holdsTimestamp({ link }: Session, { directory, rootDirectory, topic }: HeldPlace): Promise<boolean> {
  const kept = await readBytesIfPresent(join(directory, timestampFile));
  // Nothing signed yet is nothing to publish.
  if (kept === undefined) return true;
  const held = await fetchIfHeld(link, topic);
  if (held === undefined) return false;
  try {
    const { bytes, hint } = await unpackFile(held, limits.trust.timestampMaxBytes);
    return hint?.root === (await listRoots(rootDirectory)).at(-1) && Buffer.compare(bytes, kept) === 0;
  } catch (thrown) {
    if (thrown instanceof CompressionError) return false;
    throw thrown;
  }
}

/** Undefined when nothing is retained there; what is too large to be ours counts as nothing, too. */
async function fetchIfHeld(link: Session["link"], topic: string): Promise<Uint8Array | undefined> {
  try {
    const { chunkSizeBytes } = limits.blob;
    return await link.fetch(topic, { maxBytes: chunkSizeBytes, timeoutMs: limits.serve.heldTimeoutMs });
  } catch (error) {
    if (error instanceof LinkError && (error.code === "timeout" || error.code === "too-large")) return undefined;
    throw error;
  }
}

async function filterInWindow<T>(items: readonly T[], isWanted: (item: T) => Promise<boolean>): Promise<readonly T[]> {
  const wanted = new Set<T>();
  const waiting = items.values();
  const work = async (): Promise<void> => {
    for (const item of waiting) if (await isWanted(item)) wanted.add(item);
  };
  await Promise.all(Array.from({ length: limits.serve.lookups }, work));
  return items.filter((item) => wanted.has(item));
}
