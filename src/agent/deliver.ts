// Gets the bytes of a verified target into the store: as a delta over something installed, or whole.
import { describeError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { applyDelta, expandFull } from "../protocol/compression.ts";
import { isRefusal, refuse, type Refusal } from "../protocol/refusal.ts";
import type { BlobReference, VerifiedTarget } from "../protocol/release.ts";
import type { ComponentStore } from "../store/componentStore.ts";
import { verifyComponent } from "../trust/verifyComponent.ts";

export interface DeliveryContext {
  readonly store: ComponentStore;
  readonly fetchBlob: (reference: BlobReference) => Promise<Uint8Array | Refusal>;
  readonly log: Log;
}

/**
 * Installs the target; undefined when it is in the store afterwards. A delta that does not rebuild the signed bytes
 * costs a second download, never a wrong component. Rejects when the broker cannot be reached: try again later.
 */
export async function deliver(target: VerifiedTarget, context: DeliveryContext): Promise<Refusal | undefined> {
  const { store, log } = context;
  // Not `has`: a file that rotted is found only by reading it, and must be fetched again.
  if ((await store.load(target.sha256)) !== undefined) return undefined;
  if (target.lengthBytes > limits.blob.componentMaxBytes) return refuseSize(target);
  const delta = await deliverDelta(target, context);
  if (delta === "installed") return undefined;
  if (delta !== undefined)
    log.warn({ path: target.path, refusal: delta }, "the delta was of no use; fetching it whole");
  const fetched = await context.fetchBlob(target.release.full);
  if (isRefusal(fetched)) return fetched;
  return install(target, context, () => expandFull(fetched, target.lengthBytes));
}

async function deliverDelta(
  target: VerifiedTarget,
  context: DeliveryContext,
): Promise<"installed" | Refusal | undefined> {
  for (const [baseSha256, reference] of Object.entries(target.release.deltas)) {
    const base = await context.store.load(baseSha256);
    if (base === undefined) continue;
    const fetched = await context.fetchBlob(reference);
    if (isRefusal(fetched)) return fetched;
    const refusal = await install(target, context, () => applyDelta(base, fetched, target.lengthBytes));
    return refusal ?? "installed";
  }
  return undefined;
}

async function install(
  target: VerifiedTarget,
  { store }: DeliveryContext,
  rebuild: () => Promise<Uint8Array>,
): Promise<Refusal | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await rebuild();
  } catch (error) {
    return refuse(
      "delivery.hash",
      `${target.path} cannot be rebuilt: ${describeError(error)}`,
      "Publish the release again.",
    );
  }
  const verified = verifyComponent(target, bytes);
  if (isRefusal(verified)) return verified;
  await store.install(verified);
  return undefined;
}

function refuseSize({ path, lengthBytes }: VerifiedTarget): Refusal {
  const seen = `${path} has ${lengthBytes} bytes; this gateway accepts ${limits.blob.componentMaxBytes}.`;
  return refuse("delivery.size", seen, "Build a smaller component.");
}
