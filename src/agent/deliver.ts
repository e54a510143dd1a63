// Gets the component of a verified target into the store: as a delta over something installed, or whole.
import type { Log } from "../base/log.ts";
import { isRefusal, refuse, type Refusal } from "../protocol/refusal.ts";
import type { BlobReference, VerifiedTarget } from "../protocol/release.ts";
import type { ComponentStore } from "../store/componentStore.ts";
import { verifyComponent } from "../trust/verifyComponent.ts";
import { RebuildError, type Rebuild } from "./rebuild.ts";

/** A file with exactly the bytes of a blob. */
export interface FetchedBlob extends AsyncDisposable {
  readonly path: string;
  remove(): Promise<void>;
}

export interface DeliveryContext {
  readonly store: ComponentStore;
  readonly fetchBlob: (reference: BlobReference) => Promise<FetchedBlob | Refusal>;
  readonly rebuild: Rebuild;
  readonly log: Log;
}

/**
 * Installs the target; undefined when it is in the store afterwards. A delta that does not rebuild the signed bytes
 * costs a second download, never a wrong component. Rejects when the broker cannot be reached: try again later.
 */
export async function deliver(target: VerifiedTarget, context: DeliveryContext): Promise<Refusal | undefined> {
  const { store, log } = context;
  // Not `has`: a file that rotted is found only by reading it, and must be fetched again.
  if ((await store.find(target.sha256)) !== undefined) return undefined;
  const delta = await deliverDelta(target, context);
  if (delta === "installed") return undefined;
  if (delta !== undefined)
    log.warn({ path: target.path, refusal: delta }, "the delta was of no use; fetching it whole");
  return install(target, { blob: target.release.full }, context);
}

async function deliverDelta(
  target: VerifiedTarget,
  context: DeliveryContext,
): Promise<"installed" | Refusal | undefined> {
  for (const [baseSha256, blob] of Object.entries(target.release.deltas)) {
    const basePath = await context.store.find(baseSha256);
    if (basePath !== undefined) return (await install(target, { blob, basePath }, context)) ?? "installed";
  }
  return undefined;
}

interface Source {
  readonly blob: BlobReference;
  readonly basePath?: string;
}

async function install(
  target: VerifiedTarget,
  { blob, basePath }: Source,
  { store, fetchBlob, rebuild }: DeliveryContext,
): Promise<Refusal | undefined> {
  const outcome = await fetchBlob(blob);
  if (isRefusal(outcome)) return outcome;
  await using fetched = outcome;
  const { sha256, lengthBytes } = target;
  const bytes = rebuild({ blobPath: fetched.path, basePath, lengthBytes });
  const verified = await verifyComponent(target, bytes, () => store.stage(sha256)).catch((thrown: unknown) =>
    refuseBlob(target, thrown),
  );
  if (!isRefusal(verified)) await store.install(verified);
  // Last: whatever comes before can be done again with it.
  await fetched.remove();
  return isRefusal(verified) ? verified : undefined;
}

/** What the blob is to blame for is a refusal; what this machine is to blame for is thrown. */
function refuseBlob({ path }: VerifiedTarget, thrown: unknown): Refusal {
  if (!(thrown instanceof RebuildError) || thrown.code !== "blob") throw thrown;
  return refuse("delivery.hash", `${path} cannot be rebuilt: ${thrown.message}`, "Publish the release again.");
}
