// Decides what a verified deployment means for this gateway; pure, so that every case is a test.
import { isDeepStrictEqual } from "node:util";
import { refuse, type Refusal } from "../protocol/refusal.ts";
import { parseReleaseName, type VerifiedTarget } from "../protocol/release.ts";
import type { Deployment, DeploymentText } from "../protocol/deployment.ts";
import type { CommittedSet, DeploymentRecord } from "../store/deploymentStore.ts";

export type DeploymentPlan =
  | { readonly kind: "keep" }
  | { readonly kind: "install"; readonly set: CommittedSet; readonly targets: readonly VerifiedTarget[] }
  | Refusal;

export interface Wanted {
  readonly deployment: Deployment;
  readonly text: DeploymentText;
  readonly targets: ReadonlyMap<string, VerifiedTarget>;
}

/** Nothing to do for the deployment that runs; never again one that failed here; otherwise install and try it. */
export function planDeployment(record: DeploymentRecord, wanted: Wanted): DeploymentPlan {
  const { version } = wanted.deployment;
  // Not by the version alone: whoever had the director's key may have signed another one under it.
  if (isDeepStrictEqual(record.active?.deployment, wanted.text)) return { kind: "keep" };
  const failed = record.failed.find((entry) => entry.version === version);
  if (failed !== undefined)
    return refuse(
      "deployment.failed",
      `Deployment ${version} failed here before: ${failed.reason}`,
      "Deploy a new one, with another release or other settings.",
    );
  return { kind: "install", set: createSet(wanted), targets: [...new Set(wanted.targets.values())] };
}

function createSet({ deployment, text, targets }: Wanted): CommittedSet {
  const components: Record<string, CommittedSet["components"][string]> = {};
  for (const [name, { release }] of Object.entries(deployment.components)) {
    const target = targets.get(name);
    if (target === undefined) throw new Error(`no verified target for ${parseReleaseName(release).component}`);
    const { sha256, lengthBytes } = target;
    components[name] = { release, sha256, counter: target.release.counter, lengthBytes };
  }
  return { version: deployment.version, deployment: text, components };
}
