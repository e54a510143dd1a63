// One blob from the fleet to a verified file: goes on where a reboot left it, and starts over once when that was a lie.
import { limits } from "../base/limits.ts";
import { type Refusal, refuse } from "../protocol/refusal.ts";
import type { BlobReference } from "../protocol/release.ts";
import type { Download, Downloads } from "../store/downloads.ts";

export interface BlobContext {
  readonly downloads: Downloads;
  /** Puts what is missing into the download; undefined when nothing is. */
  readonly fetchChunks: (blob: BlobReference, download: Download) => Promise<Refusal | undefined>;
}

/**
 * A download whose file has exactly the signed hash; the caller removes it. Bytes that an earlier life of the agent left
 * may be torn, so they are fetched once more; bytes that all came just now are what the broker serves, and refused.
 */
export async function fetchBlob(blob: BlobReference, context: BlobContext): Promise<Download | Refusal> {
  if (blob.length > limits.blob.componentMaxBytes) return refuseSize(blob);
  const download = await context.downloads.open(blob);
  let isDone = false;
  try {
    const outcome = await fill(download, blob, context);
    isDone = outcome === undefined;
    return outcome ?? download;
  } finally {
    if (!isDone) await download[Symbol.asyncDispose]();
  }
}

async function fill(download: Download, blob: BlobReference, context: BlobContext): Promise<Refusal | undefined> {
  for (let mayLie = download.resumed > 0; ; mayLie = false) {
    const refusal = await context.fetchChunks(blob, download);
    if (refusal !== undefined) return refusal;
    if (await download.isWhole()) return undefined;
    await download.startOver();
    if (!mayLie) return refuseHash(blob);
  }
}

function refuseHash({ sha256 }: BlobReference): Refusal {
  return refuse(
    "delivery.hash",
    `The chunks of blob ${sha256} together have another sha-256.`,
    "Somebody changed what the broker holds: publish the release again and find out who may write there.",
  );
}

function refuseSize({ sha256, length }: BlobReference): Refusal {
  const seen = `Blob ${sha256} has ${length} bytes; this gateway accepts ${limits.blob.componentMaxBytes}.`;
  return refuse(
    "delivery.size",
    seen,
    "Make the component smaller; a build without debug information often is enough.",
  );
}
