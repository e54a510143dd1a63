// Takes metadata off the broker that no difference starts from any more, and lays its files aside so that they stay readable.
import { join } from "node:path";
import { Metadata, MetadataKind } from "@tufjs/models";
import { roundFile } from "../../protocol/packing.ts";
import { targetFileName } from "../../protocol/repository.ts";
import { listNames, moveFile, readBytesIfPresent } from "../files.ts";
import type { Publisher } from "../publisher.ts";
import { loadRepository, parseJson } from "../repository/repository.ts";

export interface Superseded {
  readonly directory: string;
  /** Rounds before the newest that are kept. */
  readonly rounds: number;
  readonly topicOf: (file: string) => string;
}

const aside = "old";

/**
 * Everything of rounds older than those kept: snapshots, targets and publishers' metadata, documents, differences. The
 * file is moved once its topic is cleared, so an interrupted pass is simply taken up again. Resolves to how many.
 */
export async function clearSuperseded(
  { directory, rounds, topicOf }: Superseded,
  publisher: Publisher,
): Promise<number> {
  const { versions } = await loadRepository(directory);
  const kept = new Set<string>();
  for (let snapshot = Math.max(1, versions.snapshot - rounds); snapshot <= versions.snapshot; snapshot += 1)
    for (const file of await listFiles(directory, snapshot)) kept.add(file);
  const old = (await listNames(directory)).filter((file) => isVersioned(file) && !kept.has(file));
  const clear = (file: string): Promise<void> => publisher.publish({ topic: topicOf(file), payload: "", retain: true });
  for (const file of old) {
    await clear(file);
    const snapshot = /^(\d+)\.snapshot\.json$/.exec(file)?.[1];
    if (snapshot !== undefined) await clear(roundFile(Number(snapshot)));
    await moveFile(join(directory, file), join(directory, aside, file));
  }
  return old.length;
}

/** Metadata with a version in its name, and documents with a hash in theirs; never a root, and not the timestamp. */
function isVersioned(file: string): boolean {
  if (/^\d+\.root\.json$/.test(file)) return false;
  return /^\d+\.[a-z][a-z0-9._-]*\.json$/.test(file) || /^[0-9a-f]{64}\.[a-z]+\.json$/.test(file);
}

/** The files of the round with this snapshot version; empty when it is gone. */
async function listFiles(directory: string, version: number): Promise<readonly string[]> {
  const name = `${version}.snapshot.json`;
  const snapshot = await readBytesIfPresent(join(directory, name));
  if (snapshot === undefined) return [];
  const { meta } = Metadata.fromJSON(MetadataKind.Snapshot, parseJson(snapshot)).signed;
  const files = Object.entries(meta).map(([file, { version: of }]) => `${of}.${file}`);
  const targets = await readBytesIfPresent(join(directory, `${meta["targets.json"]?.version}.targets.json`));
  const listed = targets ? Metadata.fromJSON(MetadataKind.Targets, parseJson(targets)).signed.targets : {};
  const documents = Object.values(listed).map(({ path, hashes }) => targetFileName(path, hashes["sha256"] ?? ""));
  return [name, ...files, ...documents];
}
