// Blobs onto the broker and off it again, with a record on disk of which are there: a cleared release can come back.
import { join } from "node:path";
import * as v from "valibot";
import { sha256Hex } from "../base/hash.ts";
import { limits } from "../base/limits.ts";
import { publishBlob } from "../link/publishBlob.ts";
import { DocumentError, parseDocument } from "../protocol/document.ts";
import { createTopics } from "../protocol/topics.ts";
import { OperatorError } from "./error.ts";
import { listNames, readBytes, readBytesIfPresent, readSizeBytes, writeFileAtomic } from "./files.ts";
import type { Publisher } from "./publisher.ts";
import { blobPath, blobsDirectory } from "./repository/places.ts";
import type { Workspace } from "./workspace.ts";

const recordSchema = v.strictObject({ format: v.literal(1), blobs: v.array(v.string()) });

/** Hashes of the blobs that were published and not cleared. Before there is a record, all that are here. */
export async function loadPublishedBlobs(workspace: Workspace): Promise<ReadonlySet<string>> {
  const path = recordPath(workspace);
  const bytes = await readBytesIfPresent(path);
  if (bytes === undefined) return new Set(await listNames(blobsDirectory(workspace)));
  try {
    const maxBytes = limits.published.recordBytes;
    return new Set(parseDocument(recordSchema, bytes, { what: path, maxBytes }).blobs);
  } catch (cause) {
    if (!(cause instanceof DocumentError)) throw cause;
    throw new OperatorError("workspace-invalid", `${cause.message} Remove it: it is made again.`, { cause });
  }
}

/** As retained chunks. A blob that the disk damaged would go to another address, so it is not published at all. */
export async function publishBlobs(
  workspace: Workspace,
  sha256s: Iterable<string>,
  publisher: Publisher,
): Promise<void> {
  const published = new Set(await loadPublishedBlobs(workspace));
  for (const sha256 of new Set(sha256s)) {
    const path = blobPath(workspace, sha256);
    const bytes = await readBytes(path, "blob to publish");
    if (sha256Hex(bytes) !== sha256)
      throw new OperatorError("file-failed", `${path} is damaged. Restore the workspace from a backup.`);
    await publishBlob(publisher, createTopics(workspace.settings.root), bytes);
    published.add(sha256);
  }
  await savePublishedBlobs(workspace, published);
}

/** Takes every chunk off the broker: an empty retained message clears its topic (MQTT 3.3.1.3). */
export async function clearBlobs(workspace: Workspace, sha256s: Iterable<string>, publisher: Publisher): Promise<void> {
  const published = new Set(await loadPublishedBlobs(workspace));
  const { blob } = createTopics(workspace.settings.root);
  for (const sha256 of sha256s) {
    const chunks = Math.ceil((await readSizeBytes(blobPath(workspace, sha256))) / limits.blob.chunkSizeBytes);
    for (let chunk = 0; chunk < chunks; chunk += 1)
      await publisher.publish({ topic: blob(sha256, chunk), payload: "", retain: true });
    published.delete(sha256);
  }
  await savePublishedBlobs(workspace, published);
}

async function savePublishedBlobs(workspace: Workspace, published: ReadonlySet<string>): Promise<void> {
  const record = { format: 1, blobs: [...published].sort() };
  await writeFileAtomic(recordPath(workspace), `${JSON.stringify(record)}\n`);
}

function recordPath(workspace: Workspace): string {
  return join(workspace.directory, "releases", "published.json");
}
