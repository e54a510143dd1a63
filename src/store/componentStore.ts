// Installed components by the hash of their bytes; takes nothing but verified ones and gives out nothing it has not re-hashed.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Disk, StagedFile } from "../base/disk.ts";
import type { Log } from "../base/log.ts";
import type { VerifiedComponent } from "../protocol/release.ts";
import { hashFile } from "./hashFile.ts";

export interface ComponentStore {
  /** A file for the component with this hash, for whoever verifies what comes into it. */
  stage(sha256: string): Promise<StagedFile>;
  /** After it resolves the component survives a power cut; before, it is there whole or not at all. */
  install(component: VerifiedComponent): Promise<void>;
  /** Path of the component with exactly this hash, hashed now; one that rotted is removed, logged, and undefined. */
  find(sha256: string): Promise<string | undefined>;
  /** Whether a file is there; only `find` knows whether it is whole. */
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

  return {
    stage: (sha256) => disk.stageFile(pathOf(sha256)),
    has: (sha256) => present.has(sha256),
    find: async (sha256) => {
      if (!present.has(sha256)) return undefined;
      const path = pathOf(sha256);
      if ((await hashFile(disk, path)) === sha256) return path;
      log.error({ sha256 }, "a stored component is damaged; it is removed and must be fetched again");
      await disk.remove(path);
      present.delete(sha256);
      return undefined;
    },
    install: async ({ target, staged }) => {
      await using file = staged;
      assert.equal(file.path, pathOf(target.sha256), "a verified component is staged here, under its own hash");
      await file.publish();
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
