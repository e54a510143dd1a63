// Both repositories side by side: a release is a target only if they agree on it and it is not below its floor.
import type { Deployment } from "../protocol/deployment.ts";
import { DocumentError, parseValue } from "../protocol/document.ts";
import { refuse, isRefusal } from "../protocol/refusal.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { parseReleaseName, releasePath, releaseSchema } from "../protocol/release.ts";
import type { Release, VerifiedTarget } from "../protocol/release.ts";
import { floorOf, raiseFloor } from "./floors.ts";
import type { FloorName, Floors } from "./floors.ts";
import type { SignedTarget, VerifiedMetadata } from "./tuf.ts";

export interface Agreement {
  /** By name of the component in the deployment. */
  readonly targets: ReadonlyMap<string, VerifiedTarget>;
  readonly floors: Floors;
}

export interface AgreementInput {
  readonly deployment: Deployment;
  readonly director: VerifiedMetadata;
  readonly image: VerifiedMetadata;
  readonly floors: Floors;
}

/** Uptane 5.4.4.2 step 10, for every component of the deployment; the first disagreement refuses all of it. */
export function agree(input: AgreementInput): Agreement | Refusal {
  const { deployment, director, image } = input;
  const targets = new Map<string, VerifiedTarget>();
  let floors = input.floors;
  for (const [name, { release }] of Object.entries(deployment.components)) {
    const { component, version } = parseReleaseName(release);
    const path = releasePath(component, version);
    const target = agreeOn(path, { director, image });
    if (isRefusal(target)) return target;
    const raised = raiseCounterFloor(component, image, floors);
    if (isRefusal(raised)) return raised;
    floors = raised;
    const floor = floorOf(floors, counterFloor(component), image.root);
    // Uptane 5.4.4.6: the release counter guards against rollback even when the director is in wrong hands.
    if (target.release.counter < floor) {
      const fix = "Deploy a newer release; only the image repository's targets keys can allow this one.";
      return refuse("trust.counter", `${release} has counter ${target.release.counter}, the floor is ${floor}.`, fix);
    }
    targets.set(name, target);
  }
  return { targets, floors };
}

/** The same path, length and hash in both (Uptane 5.4.4.6); the release itself is described by the image side alone. */
function agreeOn(
  path: string,
  { director, image }: Pick<AgreementInput, "director" | "image">,
): VerifiedTarget | Refusal {
  const directed = director.targets.get(path);
  const existing = image.targets.get(path);
  if (directed === undefined)
    return refuse("trust.disagreement", `The director deploys ${path} and does not list it.`, "Deploy again.");
  if (existing === undefined) {
    const fix = "Release it with the image repository's keys, publish, then deploy.";
    return refuse("trust.disagreement", `The image repository does not list ${path}.`, fix);
  }
  if (directed.lengthBytes !== existing.lengthBytes || directed.sha256 !== existing.sha256) {
    const seen = `${path}: director ${describe(directed)}, image repository ${describe(existing)}.`;
    return refuse("trust.disagreement", seen, "Deploy again, from the published image repository.");
  }
  const release = readRelease(existing);
  if (isRefusal(release)) return release;
  return { path, lengthBytes: existing.lengthBytes, sha256: existing.sha256, release };
}

function describe(target: SignedTarget): string {
  return `${target.lengthBytes} bytes ${target.sha256}`;
}

function readRelease(target: SignedTarget): Release | Refusal {
  const fix = "Release it again with a current outstation.";
  try {
    const release = parseValue(releaseSchema, target.custom, { what: `release ${target.path}` });
    if (releasePath(release.component, release.version) === target.path) return release;
    return refuse("trust.malformed", `${target.path} says it is ${release.component}@${release.version}.`, fix);
  } catch (thrown) {
    if (thrown instanceof DocumentError) return refuse("trust.malformed", thrown.message, fix);
    throw thrown;
  }
}

/** Any release of the component may carry the floor; the highest one ever seen counts. */
function raiseCounterFloor(component: string, image: VerifiedMetadata, floors: Floors): Floors | Refusal {
  let raised = floors;
  for (const target of image.targets.values()) {
    if (!target.path.startsWith(`${component}/`)) continue;
    const release = readRelease(target);
    if (isRefusal(release)) return release;
    if (release.floor === undefined) continue;
    raised = raiseFloor(raised, counterFloor(component), { root: image.root, value: release.floor });
  }
  return raised;
}

function counterFloor(component: string): FloorName {
  return { name: `image/counter/${component}`, role: "targets" };
}
