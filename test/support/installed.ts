// Components in a store: verified by the real door, from bytes that a test has in its hand.
import type { Disk } from "../../src/base/disk.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { isRefusal } from "../../src/protocol/refusal.ts";
import type { VerifiedTarget } from "../../src/protocol/release.ts";
import type { ComponentStore } from "../../src/store/componentStore.ts";
import { verifyComponent } from "../../src/trust/verifyComponent.ts";
import { piecesOf } from "./expand.ts";

export function targetFor(bytes: Uint8Array): VerifiedTarget {
  const sha256 = sha256Hex(bytes);
  const release = { component: "boiler", version: "1.0.0", counter: 1, full: { sha256, length: 1 }, deltas: {} };
  return { path: "boiler/1.0.0.wasm", lengthBytes: bytes.length, sha256, release };
}

export async function installBytes(store: ComponentStore, bytes: Uint8Array): Promise<void> {
  const target = targetFor(bytes);
  const verified = await verifyComponent(target, piecesOf(bytes), () => store.stage(target.sha256));
  if (isRefusal(verified)) throw new Error(verified.seen);
  await store.install(verified);
}

/** What the store gives out, read from its disk. */
export async function readInstalled(
  disk: Disk,
  store: ComponentStore,
  sha256: string,
): Promise<Uint8Array | undefined> {
  const path = await store.find(sha256);
  return path === undefined ? undefined : disk.readFile(path);
}
