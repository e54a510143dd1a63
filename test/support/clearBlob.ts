// Takes a blob off the broker, as an operator who prunes does: an empty retained payload at every chunk (MQTT-3.3.1-10).
import { countChunks } from "../../src/link/fetchChunks.ts";
import type { Link } from "../../src/link/link.ts";
import type { BlobReference } from "../../src/protocol/release.ts";
import type { Topics } from "../../src/protocol/topics.ts";

export async function clearBlob(link: Link, topics: Topics, { sha256, length }: BlobReference): Promise<void> {
  for (let chunk = 0; chunk < countChunks(length); chunk += 1)
    await link.publish({ topic: topics.blob(sha256, chunk), payload: "", retain: true });
}
