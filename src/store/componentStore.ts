// Installed components by the hash of their bytes; takes nothing but verified ones and gives out nothing it has not re-hashed.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Disk } from "../base/disk.ts";
import { sha256Hex } from "../base/hash.ts";
import type { Log } from "../base/log.ts";
import type { VerifiedComponent } from "../protocol/release.ts";

export interface ComponentStore {
  /** After it resolves the component survives a power cut; before, it is there whole or not at all. Safe to repeat. */
  install(component: VerifiedComponent): Promise<void>;
  /** The bytes with exactly this hash; a file that rotted is removed, logged, and undefined like one that is missing. */
  load(sha256: string): Promise<Uint8Array | undefined>;
  /** Whether a file is there; only `load` knows whether it is whole. */
  has(sha256: string): boolean;
  /** Removes every component that is not in `keep`; resolves to the hashes removed. */
  prune(keep: ReadonlySet<string>): Promise<readonly string[]>;
}

const suffix = ".wasm";

export async function openComponentStore(disk: Disk, directory: string, log: Log): Promise<ComponentStore> {
  await disk.makeDirectory(directory);
  const names = await disk.list(directory);
  const present = new Set(names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length)));
  const pathOf = (sha256: string): string => join(directory, sha256 + suffix);

  const load = async (sha256: string): Promise<Uint8Array | undefined> => {
    if (!present.has(sha256)) return undefined;
    const bytes = await disk.readFile(pathOf(sha256));
    if (bytes !== undefined && sha256Hex(bytes) === sha256) return bytes;
    log.error({ sha256 }, "a stored component is damaged; it is removed and must be fetched again");
    await disk.remove(pathOf(sha256));
    present.delete(sha256);
    return undefined;
  };
  return {
    load,
    has: (sha256) => present.has(sha256),
    install: async ({ target, bytes }) => {
      assert.equal(sha256Hex(bytes), target.sha256, "a verified component has the hash of its target");
      if ((await load(target.sha256)) !== undefined) return;
      await disk.writeFile(pathOf(target.sha256), bytes);
      present.add(target.sha256);
    },
    prune: async (keep) => {
      const removed = [...present].filter((sha256) => !keep.has(sha256));
      for (const sha256 of removed) {
        await disk.remove(pathOf(sha256));
        present.delete(sha256);
      }
      return removed;
    },
  };
}
