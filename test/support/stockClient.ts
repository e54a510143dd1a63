// tuf-js as anybody would use it, over a fleet's broker: what it finds, every standard client finds.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Updater } from "tuf-js";
import type { Fetcher } from "tuf-js";
import { DownloadHTTPError } from "tuf-js/dist/error.js";
import { createTopics } from "../../src/protocol/topics.ts";
import { readHeld, type Fleet } from "./fleet.ts";
import { createTemporaryDirectory } from "./temporaryDirectory.ts";

/** sha-256 of the image repository's target of that path; undefined when there is none. Rejects as tuf-js does. */
export async function lookUp(fleet: Fleet, path: string): Promise<string | undefined> {
  await using directory = await createTemporaryDirectory();
  await writeFile(join(directory.path, "root.json"), fleet.factory.imageRoot);
  const { image } = createTopics();
  const fetcher: Fetcher = {
    downloadBytes: async (url) => {
      const file = decodeURIComponent(new URL(url).pathname.slice(1));
      if (!fleet.broker.has(image(file))) throw new DownloadHTTPError(`${file} is not there`, 404);
      return Buffer.from(await readHeld(fleet, image(file)));
    },
    downloadFile: () => Promise.reject(new Error("nobody asks for a file")),
  };
  const updater = new Updater({ metadataDir: directory.path, metadataBaseUrl: "tuf://image", fetcher });
  const store: unknown = Reflect.get(updater, "trustedSet");
  Reflect.set(store as object, "referenceTime", new Date(fleet.time.nowMs));
  await updater.refresh();
  return (await updater.getTargetInfo(path))?.hashes["sha256"];
}
