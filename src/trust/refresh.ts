// What this gateway is to run, verified from end to end: director, image repository, and that the two agree.
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Disk } from "../base/disk.ts";
import type { Log } from "../base/log.ts";
import type { Operators } from "../protocol/command.ts";
import type { Deployment, DeploymentText } from "../protocol/deployment.ts";
import { refuse, isRefusal } from "../protocol/refusal.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { deploymentTarget } from "../protocol/repository.ts";
import type { VerifiedTarget } from "../protocol/release.ts";
import { agree, listPaths } from "./agreement.ts";
import { checkAddressee, fetchDirectorDocuments } from "./directorDocuments.ts";
import type { FetchFile } from "./fetchFile.ts";
import { floorOf, loadFloors, raiseFloor, saveFloors } from "./floors.ts";
import type { Floors } from "./floors.ts";
import { loadKeptRound, loadRoot } from "./metadataCache.ts";
import type { CacheLocation } from "./metadataCache.ts";
import { createPackedFetch } from "./packedFetch.ts";
import { attestedFloor, refreshRepository } from "./refreshRepository.ts";
import type { RepositoryName } from "./refreshRepository.ts";
import { authorityOf } from "./tuf/metadata.ts";
import type { VerifiedMetadata } from "./tuf/metadata.ts";

export interface VerifiedDeployment {
  readonly deployment: Deployment;
  /** The same as it was written and signed. */
  readonly text: DeploymentText;
  /** By name of the component in the deployment; empty when it is the installed one. */
  readonly targets: ReadonlyMap<string, VerifiedTarget>;
  readonly operators: Operators;
}

export interface TrustRefresh {
  readonly disk: Disk;
  /** Holds `director/`, `image/` and the floors; nothing else writes there. */
  readonly directory: string;
  /** The two anchors this gateway was made with (TUF 5.2). */
  readonly factory: { readonly imageRoot: Uint8Array; readonly directorRoot: Uint8Array };
  readonly gateway: string;
  /** What is published, as it is published: packed or not. */
  readonly fetchDirector: FetchFile;
  readonly fetchImage: FetchFile;
  /** The gateway's clock; may be wrong. Time that signers attested counts as well. */
  readonly nowMs: number;
  /** The deployment that is committed here, if any. */
  readonly installed?: DeploymentText | undefined;
  readonly log: Log;
}

/**
 * Uptane 5.4.4.2, full verification. "nothing-deployed" while the director has published nothing, or no deployment.
 * Rejects with what a fetch rejected with: try again later. A power cut at any point loses no floor and no newer root.
 * One call at a time for one directory.
 */
export async function refreshTrust(refresh: TrustRefresh): Promise<VerifiedDeployment | "nothing-deployed" | Refusal> {
  await refresh.disk.makeDirectory(locate(refresh, "director").directory);
  await refresh.disk.makeDirectory(locate(refresh, "image").directory);
  // Uptane 5.4.4.2 steps 2 to 5: the director first.
  const fetchDirector = createFetch(refresh, "director");
  const director = await refreshOne(refresh, "director", { fetchFile: fetchDirector, paths: [] });
  if (director === "never-published") return "nothing-deployed";
  if (isRefusal(director)) return director;
  const documents = await fetchDirectorDocuments(director, refresh.gateway, {
    fetchFile: fetchDirector,
    location: locate(refresh, "director"),
  });
  if (documents === "no-deployment") return "nothing-deployed";
  if (isRefusal(documents)) return documents;
  // Uptane 5.4.4.2 step 5: a director that says what is installed already ends it; nothing else need be fetched.
  const { deployment, text, operators } = documents;
  if (isDeepStrictEqual(text, refresh.installed)) return { deployment, text, operators, targets: new Map() };
  // Uptane 5.4.4.2 steps 6 to 9: then what exists.
  const image = await refreshOne(refresh, "image", {
    fetchFile: createFetch(refresh, "image"),
    paths: listPaths(deployment),
  });
  if (image === "never-published")
    return refuse("trust.missing", "The image repository is not published.", "Publish the image repository.");
  if (isRefusal(image)) return image;
  return conclude(refresh, { director, image, ...documents });
}

interface Evidence {
  readonly director: VerifiedMetadata;
  readonly image: VerifiedMetadata;
  readonly deployment: Deployment;
  readonly text: DeploymentText;
  readonly operators: Operators;
}

/** The deployment's own version never goes back, whoever signs it again (Uptane 5.4.4.6). */
const deploymentFloor = "director/deployment";

async function conclude(refresh: TrustRefresh, evidence: Evidence): Promise<VerifiedDeployment | Refusal> {
  const { director, image, deployment, text, operators } = evidence;
  const floors = await loadFloors(refresh.disk, refresh.directory);
  const authority = authorityOf(director.root, "targets");
  const seen = floorOf(floors, deploymentFloor, authority);
  if (deployment.version < seen) {
    const fix = "Deploy again; the new deployment gets a higher version.";
    return refuse("trust.rollback", `Deployment ${deployment.version} is older than ${seen}, seen before.`, fix);
  }
  const agreed = agree({ deployment, director, image, floors });
  const { targets } = agreed;
  const raised = isRefusal(targets)
    ? agreed.floors
    : raiseFloor(agreed.floors, deploymentFloor, { authority, value: deployment.version });
  await saveFloors(refresh.disk, refresh.directory, raised);
  return isRefusal(targets) ? targets : { deployment, text, targets, operators };
}

async function refreshOne(
  refresh: TrustRefresh,
  name: RepositoryName,
  { fetchFile, paths }: { readonly fetchFile: FetchFile; readonly paths: readonly string[] },
): Promise<VerifiedMetadata | Refusal | "never-published"> {
  const floors = await loadFloors(refresh.disk, refresh.directory);
  const outcome = await refreshRepository({
    name,
    location: locate(refresh, name),
    fetchFile,
    paths,
    floors,
    keepFloors: (raised) => saveFloors(refresh.disk, refresh.directory, raised),
    nowMs: await trustedTimeMs(refresh, name, floors),
    refuseMetadata: (metadata) => (name === "director" ? checkAddressee(metadata, refresh.gateway) : undefined),
  });
  return typeof outcome === "object" && "metadata" in outcome ? outcome.metadata : outcome;
}

function createFetch(refresh: TrustRefresh, name: RepositoryName): FetchFile {
  const documents = name === "director" ? [deploymentTarget] : [];
  return createPackedFetch({
    fetchPublished: name === "director" ? refresh.fetchDirector : refresh.fetchImage,
    loadKept: () => loadKeptRound(locate(refresh, name), documents),
  });
}

/**
 * Uptane 5.4.4.2 step 1: the latest attested time. A clock that fell back to 1970 is overruled by what a signer last
 * said: the director's for both repositories, the image repository's for itself alone, because a lie told there must
 * not keep the director from being verified. A lie ends when a newer root takes the liar's key away.
 */
async function trustedTimeMs(refresh: TrustRefresh, name: RepositoryName, floors: Floors): Promise<number> {
  const names: readonly RepositoryName[] = name === "director" ? ["director"] : ["director", "image"];
  const attested = await Promise.all(
    names.map(async (name) => {
      const { root } = await loadRoot(locate(refresh, name));
      return floorOf(floors, attestedFloor(name), authorityOf(root, "timestamp"));
    }),
  );
  return Math.max(refresh.nowMs, ...attested);
}

function locate(refresh: TrustRefresh, name: RepositoryName): CacheLocation {
  const { disk, log, factory } = refresh;
  const factoryRoot = name === "image" ? factory.imageRoot : factory.directorRoot;
  return { disk, log, factoryRoot, directory: join(refresh.directory, name) };
}
