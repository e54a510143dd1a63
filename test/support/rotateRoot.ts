// Signs the next root of the image repository by hand, rightly or wrongly, as a test wants it.
import { join } from "node:path";
import { readFile } from "node:fs/promises";
import { signRoot } from "../../src/operator/repository/metadata.ts";
import { imageDirectory } from "../../src/operator/repository/places.ts";
import { listRoots, writeRoot } from "../../src/operator/repository/repository.ts";
import type { SigningKey } from "../../src/operator/keys/key.ts";
import type { Fleet } from "./fleet.ts";
import { dayMs } from "./fleet.ts";

export interface Rotation {
  readonly signers: readonly SigningKey[];
  readonly targets?: SigningKey;
  readonly snapshot?: SigningKey;
  readonly timestamp?: SigningKey;
  readonly rootKeys?: readonly SigningKey[];
  readonly version?: number;
}

/** Writes the next root into the workspace; publish it to let gateways see it. */
export async function rotateImageRoot(fleet: Fleet, rotation: Rotation): Promise<Uint8Array> {
  const { workspace } = fleet;
  const directory = imageDirectory(workspace);
  const version = rotation.version ?? ((await listRoots(directory)).at(-1) ?? 0) + 1;
  const one = async (
    name: "targets" | "snapshot" | "timestamp",
  ): Promise<{ keys: SigningKey[]; threshold: number }> => ({
    keys: [rotation[name] ?? (await workspace.loadKey(name))],
    threshold: 1,
  });
  const bytes = await signRoot(
    {
      version,
      expiresMs: fleet.time.nowMs + 365 * dayMs,
      roles: {
        root: { keys: rotation.rootKeys ?? (await loadRootKeys(fleet)), threshold: 2 },
        targets: await one("targets"),
        snapshot: await one("snapshot"),
        timestamp: await one("timestamp"),
      },
    },
    rotation.signers,
  );
  await writeRoot(directory, version, bytes);
  return bytes;
}

export async function loadRootKeys({ workspace }: Fleet): Promise<readonly SigningKey[]> {
  return Promise.all([1, 2, 3].map((number) => workspace.loadKey(`root-${number}`)));
}

export async function readImageFile(fleet: Fleet, file: string): Promise<Uint8Array> {
  return readFile(join(imageDirectory(fleet.workspace), file));
}
