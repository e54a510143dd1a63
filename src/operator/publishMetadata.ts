// Metadata of one repository onto the broker: packed files, and from each of the last rounds the difference to the newest.
import { join } from "node:path";
import { limits } from "../base/limits.ts";
import { deploymentTarget, operatorsTarget } from "../protocol/repository.ts";
import { packFile, packRound, roundFile, type PackingHint } from "../protocol/packing.ts";
import { readBytes } from "./files.ts";
import type { Publisher } from "./publisher.ts";
import { listRoots, rootFileName, timestampFile } from "./repository/repository.ts";
import { readRound, type SignedRound } from "./repository/readRound.ts";

export interface PublishedMetadata {
  readonly directory: string;
  readonly rootDirectory: string;
  /** The newest round. */
  readonly versions: { readonly snapshot: number; readonly targets: number };
  /** What belongs to the round besides: a director's documents by target path, or the publishers' metadata by name. */
  readonly files: readonly { readonly path: string; readonly file: string }[];
  readonly topicOf: (file: string) => string;
}

/** The timestamp last, so that it never names what is not there yet. */
export async function publishMetadata(published: PublishedMetadata, publisher: Publisher): Promise<void> {
  const { directory, rootDirectory, versions, files, topicOf } = published;
  const roots = await listRoots(rootDirectory);
  const bases = await readBases(published);
  const oldestBase = bases[0]?.snapshot ?? versions.snapshot;
  const hint: PackingHint = { root: roots.at(-1) ?? 1, snapshot: versions.snapshot, oldestBase };
  const publish = async (from: string, file: string): Promise<void> => {
    const payload = await packFile(await readBytes(join(from, file), "metadata to publish"), hint);
    await publisher.publish({ topic: topicOf(file), payload, retain: true });
  };
  for (const { file } of files) await publish(directory, file);
  for (const version of roots) await publish(rootDirectory, rootFileName(version));
  await publish(directory, `${versions.targets}.targets.json`);
  await publish(directory, `${versions.snapshot}.snapshot.json`);
  await publishRounds(published, bases, publisher);
  await publish(directory, timestampFile);
}

/** The last rounds before the newest whose files are still here, oldest first and without a gap. */
async function readBases({ directory, versions, files }: PublishedMetadata): Promise<readonly SignedRound[]> {
  const bases: SignedRound[] = [];
  const kept = files.some(({ path }) => path === operatorsTarget)
    ? limits.published.directorRounds
    : limits.published.imageRounds;
  const oldest = Math.max(1, versions.snapshot - kept);
  for (let snapshot = versions.snapshot - 1; snapshot >= oldest; snapshot -= 1) {
    const base = await readRound(directory, snapshot);
    if (base === undefined) break;
    bases.unshift(base);
  }
  return bases;
}

async function publishRounds(
  { directory, versions, files, topicOf }: PublishedMetadata,
  bases: readonly SignedRound[],
  publisher: Publisher,
): Promise<void> {
  const names = [
    `${versions.snapshot}.snapshot.json`,
    `${versions.targets}.targets.json`,
    ...files.filter(({ path }) => path === deploymentTarget).map(({ file }) => file),
  ];
  const contents = new Map<string, Uint8Array>();
  for (const name of names) contents.set(name, await readBytes(join(directory, name), "metadata to publish"));
  for (const { snapshot, files: base } of bases) {
    const payload = await packRound(contents, base);
    await publisher.publish({ topic: topicOf(roundFile(snapshot)), payload, retain: true });
  }
}
