// Both repositories side by side: a release is a target only if they agree on it and it is not below its floor.
import type { Deployment } from "../protocol/deployment.ts";
import { DocumentError, parseValue } from "../protocol/document.ts";
import { refuse, isRefusal } from "../protocol/refusal.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { DirectorCustom } from "../protocol/repository.ts";
import { digestNeeds, parseReleaseName, releasePath, releaseSchema } from "../protocol/release.ts";
import type { Release, VerifiedTarget } from "../protocol/release.ts";
import { floorOf, raiseFloor } from "./floors.ts";
import type { Floors } from "./floors.ts";
import { authorityOf } from "./tuf/metadata.ts";
import type { Authority, SignedTarget, VerifiedMetadata } from "./tuf/metadata.ts";

export interface Agreement {
  /** By name of the component in the deployment; or the first disagreement, which refuses all of it. */
  readonly targets: ReadonlyMap<string, VerifiedTarget> | Refusal;
  /** To be kept in either case: who refuses an old release must remember why. */
  readonly floors: Floors;
}

export interface AgreementInput {
  readonly deployment: Deployment;
  readonly director: VerifiedMetadata;
  readonly image: VerifiedMetadata;
  readonly floors: Floors;
}

/** The image targets that a deployment names. */
export function listPaths({ components }: Deployment): readonly string[] {
  return Object.values(components).map(({ release }) => pathOf(release));
}

/** Uptane 5.4.4.2 step 10, for every component of the deployment. */
export function agree(input: AgreementInput): Agreement {
  const { deployment, image } = input;
  let { floors } = input;
  for (const { release } of Object.values(deployment.components)) {
    const raised = raiseCounterFloor(parseReleaseName(release).component, image, floors);
    if (isRefusal(raised)) return { targets: raised, floors };
    floors = raised;
  }
  return { targets: selectTargets({ ...input, floors }), floors };
}

function selectTargets({ deployment, director, image, floors }: AgreementInput): Agreement["targets"] {
  const targets = new Map<string, VerifiedTarget>();
  for (const [name, { release }] of Object.entries(deployment.components)) {
    const target = agreeOn(pathOf(release), { director, image });
    if (isRefusal(target)) return target;
    const floor = counterFloorOf(target, image, floors);
    // Uptane 5.4.4.6: the release counter guards against rollback even when the director is in wrong hands.
    if (target.release.counter < floor) {
      const fix = "Deploy a newer release; only the image repository's targets keys can allow this one.";
      return refuse("trust.counter", `${release} has counter ${target.release.counter}, the floor is ${floor}.`, fix);
    }
    targets.set(name, target);
  }
  return targets;
}

function pathOf(release: string): string {
  const { component, version } = parseReleaseName(release);
  return releasePath(component, version);
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
  const differing = findDifference(directed, release);
  if (differing !== undefined) {
    const fix = "Deploy again, from the published image repository.";
    return refuse("trust.disagreement", `${path}: director and image repository differ in ${differing}.`, fix);
  }
  return { path, lengthBytes: existing.lengthBytes, sha256: existing.sha256, release };
}

/** What the director says of a release must be what the image repository says, and its digest what is listed there. */
function findDifference({ custom }: SignedTarget, release: Release): string | undefined {
  // Every director target was parsed when its addressee was checked.
  const { counter, world } = custom as DirectorCustom;
  if (counter !== release.counter) return `the counter (${counter} and ${release.counter})`;
  const listed = release.needs === undefined ? undefined : digestNeeds(release.needs);
  return world === release.world && world === listed ? undefined : "the world";
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
    const authority = authorityOfTargets(target.role, image);
    raised = raiseFloor(raised, counterFloorName(component, target.role), { authority, value: release.floor });
  }
  return raised;
}

/**
 * The highest floor that anybody has set who is trusted with this target: each is held against the keys of the role that
 * set it, so that no publisher lifts a floor of the repository's own, and a floor goes with the publisher whose key, or
 * path, was taken away. Whether a publisher's metadata was needed to find the target makes no difference.
 */
function counterFloorOf({ path, release }: VerifiedTarget, image: VerifiedMetadata, floors: Floors): number {
  const vouchers = image.vouchers.get(path) ?? new Map<string, Authority>();
  const ofPublishers = [...vouchers].map(([role, authority]) =>
    floorOf(floors, counterFloorName(release.component, role), authority),
  );
  const own = floorOf(floors, counterFloorName(release.component, "targets"), authorityOf(image.root, "targets"));
  return Math.max(own, ...ofPublishers);
}

function counterFloorName(component: string, role: string): string {
  return role === "targets" ? `image/counter/${component}` : `image/counter/${component}/${role}`;
}

function authorityOfTargets(role: string, { root, versions, publishers }: VerifiedMetadata): Authority {
  if (role === "targets") return authorityOf(root, "targets");
  return publishers.get(role)?.authority ?? { version: versions.targets, keys: [] };
}
