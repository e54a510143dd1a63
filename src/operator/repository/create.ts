// The start of trust: first roots of the image repository and of the director, and what a gateway is given of them.
import { join } from "node:path";
import type { Factory } from "../../protocol/factory.ts";
import { readText, writeFileAtomic } from "../files.ts";
import type { SigningKey } from "../keys/key.ts";
import { createOperators } from "../operators.ts";
import { directorRootKeyNames, rootKeyNames, targetsKeyNames } from "../workspace.ts";
import type { KeyName, Workspace } from "../workspace.ts";
import { signRoot } from "./metadata.ts";
import { directorRootDirectory, imageDirectory } from "./places.ts";
import { rootFileName, writeRoot } from "./repository.ts";
import { checkRoot } from "./root.ts";
import { signRound } from "./round.ts";

/** Makes both roots, an empty image repository, operators.json and factory.json. Once for a workspace. */
export async function createRepositories(workspace: Workspace): Promise<Factory> {
  await createImageRepository(workspace);
  await createDirectorRoot(workspace);
  await createOperators(workspace);
  return createFactory(workspace);
}

/** Root and targets by their keys under their thresholds, everything else by one key a role. */
export async function createImageRepository(workspace: Workspace): Promise<void> {
  const { settings, clock, expiries } = workspace;
  const rootKeys = await loadKeys(workspace, rootKeyNames(settings));
  const targets = await loadKeys(workspace, targetsKeyNames(settings));
  const [snapshot, timestamp] = [await workspace.loadKey("snapshot"), await workspace.loadKey("timestamp")];
  const root = {
    version: 1,
    expiresMs: clock.nowMs() + expiries.rootMs,
    roles: {
      root: { keys: rootKeys, threshold: settings.rootThreshold },
      targets: { keys: targets, threshold: settings.targetsThreshold },
      snapshot: { keys: [snapshot], threshold: 1 },
      timestamp: { keys: [timestamp], threshold: 1 },
    },
  };
  checkRoot(root, "The image root");
  await writeRoot(imageDirectory(workspace), 1, await signRoot(root, rootKeys));
  const signers = { targets, snapshot, timestamp };
  await signRound(workspace, imageDirectory(workspace), { targets: [], signers });
}

/** One root for the directors of all gateways; what tells gateways apart is the name in every target. */
export async function createDirectorRoot(workspace: Workspace): Promise<void> {
  const { settings, clock, expiries } = workspace;
  const rootKeys = await loadKeys(workspace, directorRootKeyNames(settings));
  const online = { keys: [await workspace.loadKey("director")], threshold: 1 };
  const root = {
    version: 1,
    expiresMs: clock.nowMs() + expiries.rootMs,
    roles: {
      root: { keys: rootKeys, threshold: settings.directorRootThreshold },
      targets: online,
      snapshot: online,
      timestamp: online,
    },
  };
  checkRoot(root, "The director root");
  await writeRoot(directorRootDirectory(workspace), 1, await signRoot(root, rootKeys));
}

function loadKeys(workspace: Workspace, names: readonly KeyName[]): Promise<readonly SigningKey[]> {
  return Promise.all(names.map((name) => workspace.loadKey(name)));
}

/** TUF 5.2: the first root reaches a gateway out of band, with everything else it must know to connect. */
async function createFactory(workspace: Workspace): Promise<Factory> {
  const { broker, root } = workspace.settings;
  const readRoot = (directory: string): Promise<string> => readText(join(directory, rootFileName(1)), "first root");
  const factory: Factory = {
    broker,
    root,
    imageRoot: await readRoot(imageDirectory(workspace)),
    directorRoot: await readRoot(directorRootDirectory(workspace)),
  };
  await writeFileAtomic(join(workspace.directory, "factory.json"), `${JSON.stringify(factory, undefined, 2)}\n`);
  return factory;
}
