// Puts what is on disk onto the broker, as often as one likes; whatever a reader sees on the way verifies.
import { targetFileName } from "../protocol/repository.ts";
import { createTopics } from "../protocol/topics.ts";
import { OperatorError } from "./error.ts";
import { listBlobs, listLiveBlobs } from "./liveBlobs.ts";
import { loadPublishedBlobs, publishBlobs } from "./publishBlobs.ts";
import type { Publisher } from "./publisher.ts";
import { listReleases, renewImageWhenStale } from "./repository/addRelease.ts";
import { directorDirectory, directorRootDirectory, imageDirectory } from "./repository/places.ts";
import { publishMetadata } from "./publishMetadata.ts";
import { loadRepository } from "./repository/repository.ts";
import type { Workspace } from "./workspace.ts";
import { withWorkspaceLock } from "./workspaceLock.ts";

/** Chunks of the full blob and of every delta first, then the metadata that names them. */
export async function publishRelease(
  workspace: Workspace,
  name: { readonly component: string; readonly version: string },
  publisher: Publisher,
): Promise<void> {
  const releases = await listReleases(workspace, name.component);
  const listed = releases.find(({ release }) => release.version === name.version);
  if (listed === undefined) {
    const release = `${name.component}@${name.version}`;
    throw new OperatorError(
      "release-missing",
      `${release} is not released. Release it first: outstation release ${release}`,
    );
  }
  await publishBlobs(workspace, listBlobs(listed), publisher);
  await publishImage(workspace, publisher);
}

/** Every release that the image repository lists now: for after releases were signed elsewhere. */
export async function publishReleases(workspace: Workspace, publisher: Publisher): Promise<void> {
  await publishBlobs(workspace, (await listReleases(workspace)).flatMap(listBlobs), publisher);
  await publishImage(workspace, publisher);
}

/** The metadata of the image repository. */
export async function publishImage(workspace: Workspace, publisher: Publisher): Promise<void> {
  const { image } = createTopics(workspace.settings.root);
  const directory = imageDirectory(workspace);
  const { versions, publishers } = await loadRepository(directory);
  const files = [...publishers].map(([name, { version }]) => ({ path: name, file: `${version}.${name}.json` }));
  await publishMetadata({ directory, rootDirectory: directory, versions, files, topicOf: image }, publisher);
}

/**
 * What a gateway needs for its newest deployment: the blobs of its releases that were cleared since, the image
 * repository, renewed when it grew stale, then its director.
 */
export async function publishDeployment(workspace: Workspace, gateway: string, publisher: Publisher): Promise<void> {
  const published = await loadPublishedBlobs(workspace);
  const cleared = [...(await listLiveBlobs(workspace, [gateway]))].filter((sha256) => !published.has(sha256));
  if (cleared.length > 0) await publishBlobs(workspace, cleared, publisher);
  const isRenewed = await withWorkspaceLock(workspace, () => renewImageWhenStale(workspace));
  if (isRenewed) await publishImage(workspace, publisher);
  await publishDirector(workspace, gateway, publisher);
}

/** The director of one gateway: its documents and its metadata. */
export async function publishDirector(workspace: Workspace, gateway: string, publisher: Publisher): Promise<void> {
  const { director } = createTopics(workspace.settings.root).gateway(gateway);
  const directory = directorDirectory(workspace, gateway);
  const { versions, targets } = await loadRepository(directory);
  if (versions.timestamp === 0)
    throw new OperatorError(
      "gateway-missing",
      `${gateway} was never deployed to. Deploy to it: outstation deploy ${gateway} deployment.json`,
    );
  const files = targets
    .filter(({ path }) => path.endsWith(".json"))
    .map(({ path, hashes }) => ({ path, file: targetFileName(path, hashes["sha256"] ?? "") }));
  const rootDirectory = directorRootDirectory(workspace);
  await publishMetadata({ directory, rootDirectory, versions, files, topicOf: director }, publisher);
}
