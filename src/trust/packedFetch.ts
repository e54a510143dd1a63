// Files of a repository as they travel: packed, or as the difference from the round that is kept; it trusts nothing of it.
import { limits } from "../base/limits.ts";
import { CompressionError } from "../protocol/compression.ts";
import { roundFile, unpackFile, unpackRound } from "../protocol/packing.ts";
import type { PackingHint, UnpackedFile } from "../protocol/packing.ts";
import type { FetchFile } from "./fetchFile.ts";

/** The round that is kept here: the base of the differences to newer ones. */
export interface KeptRound {
  readonly snapshot: number;
  /** Snapshot, targets and, of a director, the deployment document. */
  readonly files: readonly Uint8Array[];
}

export interface PackedSource {
  /** What is published under a name; undefined when nothing is. */
  readonly fetchPublished: FetchFile;
  readonly loadKept: () => Promise<KeptRound | undefined>;
}

type Files = ReadonlyMap<string, Uint8Array>;

/** A packed file may be longer than what is in it by this much. */
const packingBytes = 64;

/**
 * For one refresh. The timestamp comes first, whatever is asked for: its hint says how far the root chain goes, so that
 * nobody waits for a root that was never published, and whether a difference from the kept round is to be had. A hint
 * that lies can only withhold, which whoever wrote it can do anyway.
 */
export function createPackedFetch(source: PackedSource): FetchFile {
  const { fetchPublished } = source;
  let timestamp: Promise<UnpackedFile | undefined> | undefined;
  let round: Promise<Files> | undefined;
  const fetchUnpacked = async (name: string, maxBytes: number): Promise<UnpackedFile | undefined> => {
    const payload = await fetchPublished(name, maxBytes + packingBytes);
    return payload && unpack(payload, maxBytes);
  };
  return async (name, maxBytes) => {
    timestamp ??= fetchUnpacked("timestamp.json", limits.trust.timestampMaxBytes);
    const published = await timestamp;
    if (name === "timestamp.json" || published === undefined) return published?.bytes;
    const { hint } = published;
    const root = /^(\d+)\.root\.json$/.exec(name)?.[1];
    if (hint !== undefined && root !== undefined && Number(root) > hint.root) return undefined;
    if (hint !== undefined && root === undefined) {
      round ??= fetchRound(source, hint);
      const file = (await round).get(name);
      if (file !== undefined) return file;
    }
    return (await fetchUnpacked(name, maxBytes))?.bytes;
  };
}

/** Empty when there is no difference from what is kept here, or it does not fit: then the files are fetched one by one. */
async function fetchRound({ fetchPublished, loadKept }: PackedSource, hint: PackingHint): Promise<Files> {
  const kept = await loadKept();
  if (kept === undefined || kept.snapshot < hint.oldestBase || kept.snapshot >= hint.snapshot) return new Map();
  const { roundMaxBytes } = limits.trust;
  const payload = await fetchPublished(roundFile(kept.snapshot), roundMaxBytes);
  if (payload === undefined) return new Map();
  try {
    return await unpackRound(payload, kept.files, roundMaxBytes);
  } catch (thrown) {
    if (thrown instanceof CompressionError || thrown instanceof SyntaxError) return new Map();
    throw thrown;
  }
}

/** What cannot be unpacked is handed on as it is, or as too long as it would be: the verifier says what is wrong with it. */
async function unpack(payload: Uint8Array, maxBytes: number): Promise<UnpackedFile> {
  try {
    return await unpackFile(payload, maxBytes);
  } catch (thrown) {
    if (!(thrown instanceof CompressionError)) throw thrown;
    const bytes = thrown.code === "too-large" ? new Uint8Array(maxBytes + 1) : payload;
    return { bytes, hint: undefined };
  }
}
