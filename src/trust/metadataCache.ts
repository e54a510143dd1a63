// The verified metadata of one repository on the durable medium; replaced file by file, only by what was verified.
import { join } from "node:path";
import type { Disk } from "../base/disk.ts";
import type { Log } from "../base/log.ts";
import { TrustError } from "./error.ts";
import type { KeptRound } from "./packedFetch.ts";
import { readRoot } from "./tuf/metadata.ts";
import type { TrustedRoot } from "./tuf/metadata.ts";

export const rootFile = "root.json";
const documentsDirectory = "documents";

/** In the order they are written: whatever a power cut leaves, the timestamp is not ahead of what it names. */
const otherFiles = ["targets.json", "snapshot.json", "timestamp.json"];

export interface CacheLocation {
  readonly disk: Disk;
  readonly directory: string;
  /** Trusted because it was put there when the gateway was made (TUF 5.2). */
  readonly factoryRoot: Uint8Array;
  readonly log: Log;
}

export interface DurableRoot {
  readonly bytes: Uint8Array;
  readonly root: TrustedRoot;
}

/** The newest root this gateway verified; the factory's when that one is missing or damaged. */
export async function loadRoot(
  location: Omit<CacheLocation, "disk"> & { readonly disk: Pick<Disk, "readFile"> },
): Promise<DurableRoot> {
  const kept = await location.disk.readFile(join(location.directory, rootFile));
  const keptRoot = kept === undefined ? undefined : readRoot(kept);
  if (kept !== undefined && keptRoot !== undefined) return { bytes: kept, root: keptRoot };
  if (kept !== undefined)
    location.log.warn({ directory: location.directory }, "the kept root is damaged; starting from the factory root");
  const root = readRoot(location.factoryRoot);
  if (root === undefined)
    throw new TrustError("factory-root-invalid", "The factory root is not valid root metadata; provision again.");
  return { bytes: location.factoryRoot, root };
}

/** What the Updater starts from. Damaged files are harmless here: it fetches them again and the floors remember. */
export async function loadMetadata(
  location: CacheLocation,
  root: DurableRoot,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map([[rootFile, root.bytes]]);
  for (const file of [...(await listPublishers(location)), ...otherFiles]) {
    const bytes = await location.disk.readFile(join(location.directory, file));
    if (bytes !== undefined) files.set(file, bytes);
  }
  return files;
}

type ReadFile = (file: string) => Promise<Uint8Array | undefined>;

/** The round that is kept, with the documents that were fetched for it; undefined when nothing whole is. */
export async function loadKeptRound(
  location: CacheLocation,
  documents: readonly string[],
): Promise<KeptRound | undefined> {
  const { disk, directory } = location;
  const [snapshot, targets] = await Promise.all(
    ["snapshot.json", "targets.json"].map((file) => disk.readFile(join(directory, file))),
  );
  const version = snapshot && readVersion(snapshot);
  if (snapshot === undefined || targets === undefined || version === undefined) return undefined;
  const kept = await Promise.all(documents.map((path) => loadDocument(location, path)));
  return { snapshot: version, files: [snapshot, targets, ...kept.filter((bytes) => bytes !== undefined)] };
}

/** A document that a director's targets list, as it was last fetched; whoever uses it checks its hash. */
export function loadDocument({ disk, directory }: CacheLocation, path: string): Promise<Uint8Array | undefined> {
  return disk.readFile(join(directory, documentsDirectory, path));
}

export async function keepDocument({ disk, directory }: CacheLocation, path: string, bytes: Uint8Array): Promise<void> {
  await disk.makeDirectory(join(directory, documentsDirectory));
  await disk.writeFile(join(directory, documentsDirectory, path), bytes);
}

function readVersion(metadata: Uint8Array): number | undefined {
  try {
    const kept = JSON.parse(new TextDecoder().decode(metadata)) as { signed?: { version?: unknown } | null } | null;
    const version = kept?.signed?.version;
    return typeof version === "number" && Number.isSafeInteger(version) ? version : undefined;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

/** TUF 5.3.8: keeps a root as soon as it is verified, whatever becomes of the rest. */
export async function promoteRoot(location: CacheLocation, before: DurableRoot, read: ReadFile): Promise<void> {
  const bytes = await read(rootFile);
  const root = bytes === undefined ? undefined : readRoot(bytes);
  if (bytes === undefined || root === undefined || root.version <= before.root.version) return;
  await location.disk.writeFile(join(location.directory, rootFile), bytes);
}

/** TUF 5.4.5, 5.5.7, 5.6.6: keeps the rest once all of it is verified; of publishers, those that were needed. */
export async function promoteMetadata(
  location: CacheLocation,
  read: ReadFile,
  publishers: readonly string[],
): Promise<void> {
  const publisherFiles = publishers.map((name) => `${name}.json`);
  for (const file of [...publisherFiles, ...otherFiles]) {
    const bytes = await read(file);
    const path = join(location.directory, file);
    if (bytes === undefined || sameBytes(bytes, await location.disk.readFile(path))) continue;
    await location.disk.writeFile(path, bytes);
  }
  for (const file of await listPublishers(location))
    if (!publisherFiles.includes(file)) await location.disk.remove(join(location.directory, file));
}

/** A publisher's name is never that of a top-level role (checked before anything of it is trusted). */
async function listPublishers({ disk, directory }: CacheLocation): Promise<readonly string[]> {
  const names = await disk.list(directory);
  return names.filter((name) => name.endsWith(".json") && name !== rootFile && !otherFiles.includes(name));
}

function sameBytes(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && Buffer.compare(a, b) === 0;
}
