// The ceremonies as people carry them out: proposals signed with key files of a fleet, merged, followed up, published.
import { join } from "node:path";
import { mergeProposals } from "../../src/operator/ceremony/merge.ts";
import type { Merged } from "../../src/operator/ceremony/merge.ts";
import { signProposal } from "../../src/operator/ceremony/sign.ts";
import { publishAll, renewAll } from "../../src/operator/ceremony/takeEffect.ts";
import { signSnapshot, signTargets, signTimestamp } from "../../src/operator/repository/metadata.ts";
import { imageDirectory } from "../../src/operator/repository/places.ts";
import { loadRepository } from "../../src/operator/repository/repository.ts";
import type { SigningKey } from "../../src/operator/keys/key.ts";
import type { Workspace } from "../../src/operator/workspace.ts";
import { dayMs } from "./fleet.ts";
import type { Fleet } from "./fleet.ts";
import { readImageFile } from "./rotateRoot.ts";

export const top = 2 ** 31;

export function keyFile({ directory }: Workspace, name: string): string {
  return join(directory, "keys", `${name}.pem`);
}

export async function sign(
  workspace: Workspace,
  kind: "root" | "targets",
  { path, keys }: { readonly path: string; readonly keys: readonly string[] },
): Promise<void> {
  const { secrets } = workspace;
  for (const name of keys) await signProposal({ kind, path, keyPath: keyFile(workspace, name), secrets });
}

/** Signs a proposed root with these keys, merges it, and puts what follows from it on the broker. */
export async function completeRoot(fleet: Fleet, path: string | undefined, keys: readonly string[]): Promise<Merged> {
  const { workspace, publisher } = fleet;
  if (path === undefined) throw new Error("nothing was proposed");
  await sign(workspace, "root", { path, keys });
  const merged = await mergeProposals(workspace, "root", [path]);
  await renewAll(workspace);
  await publishAll(workspace, publisher);
  return merged;
}

export interface StolenKeys {
  readonly snapshot: SigningKey;
  readonly timestamp: SigningKey;
  readonly targets?: SigningKey;
}

/** What a thief of the online keys serves in place of the image repository; the releases too, with the targets key. */
export async function forgeImage(
  fleet: Fleet,
  { snapshot, timestamp, targets }: StolenKeys,
  { version, signedAtMs = fleet.time.nowMs }: { readonly version: number; readonly signedAtMs?: number },
): Promise<void> {
  const serve = (file: string, bytes: Uint8Array): void => void fleet.broker.set(`outstation/v1/image/${file}`, bytes);
  const expiresMs = signedAtMs + dayMs;
  const { versions } = await loadRepository(imageDirectory(fleet.workspace));
  let listed = { version: versions.targets, bytes: await readImageFile(fleet, `${versions.targets}.targets.json`) };
  if (targets !== undefined) {
    listed = { version, bytes: await signTargets({ version, expiresMs, targets: [] }, [targets]) };
    serve(`${version}.targets.json`, listed.bytes);
  }
  const bytes = await signSnapshot({ version, expiresMs, targets: listed }, snapshot);
  serve(`${version}.snapshot.json`, bytes);
  const content = { version, expiresMs, signedAtMs, snapshot: { version, bytes } };
  serve("timestamp.json", await signTimestamp(content, timestamp));
}

/** What a thief of the timestamp key alone can serve: the honest snapshot under a version and a time of their own. */
export async function forgeTimestamp(
  fleet: Fleet,
  timestamp: SigningKey,
  { version, signedAtMs = fleet.time.nowMs }: { readonly version: number; readonly signedAtMs?: number },
): Promise<void> {
  const { versions } = await loadRepository(imageDirectory(fleet.workspace));
  const bytes = await readImageFile(fleet, `${versions.snapshot}.snapshot.json`);
  const snapshot = { version: versions.snapshot, bytes };
  const content = { version, expiresMs: signedAtMs + dayMs, signedAtMs, snapshot };
  fleet.broker.set("outstation/v1/image/timestamp.json", await signTimestamp(content, timestamp));
}
