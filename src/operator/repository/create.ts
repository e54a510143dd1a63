// The start of trust: first roots of the image repository and of the director, and what a gateway is given of them.
import { join } from "node:path";
import { operatorsSchema } from "../../protocol/command.ts";
import type { Operators } from "../../protocol/command.ts";
import { parseDocument } from "../../protocol/document.ts";
import type { Factory } from "../../protocol/factory.ts";
import { operatorsTarget } from "../../protocol/repository.ts";
import { readBytes, readText, writeFileAtomic } from "../files.ts";
import { rootKeyNames } from "../workspace.ts";
import type { Workspace } from "../workspace.ts";
import { directorRootDirectory, imageDirectory, imageSigners } from "./places.ts";
import { signRoot } from "./metadata.ts";
import { rootFileName, signRound, writeRoot } from "./repository.ts";

/** Makes both roots, an empty image repository, operators.json and factory.json. Once for a workspace. */
export async function createRepositories(workspace: Workspace): Promise<Factory> {
  await createImageRepository(workspace);
  await createDirectorRoot(workspace);
  await createOperators(workspace);
  return createFactory(workspace);
}

/** Root by the root keys under their threshold, everything else by one key a role. */
export async function createImageRepository(workspace: Workspace): Promise<void> {
  const { settings, clock, expiries } = workspace;
  const rootKeys = await Promise.all(rootKeyNames(settings).map((name) => workspace.loadKey(name)));
  const signers = await imageSigners(workspace);
  const root = {
    version: 1,
    expiresMs: clock.nowMs() + expiries.rootMs,
    roles: {
      root: { keys: rootKeys, threshold: settings.rootThreshold },
      targets: { keys: signers.targets, threshold: signers.targets.length },
      snapshot: { keys: [signers.snapshot], threshold: 1 },
      timestamp: { keys: [signers.timestamp], threshold: 1 },
    },
  };
  await writeRoot(imageDirectory(workspace), 1, signRoot(root, rootKeys));
  await signRound(workspace, imageDirectory(workspace), { targets: [], signers });
}

/** One root for the directors of all gateways; what tells gateways apart is the name in every target. */
export async function createDirectorRoot(workspace: Workspace): Promise<void> {
  const rootKey = await workspace.loadKey("director-root");
  const online = { keys: [await workspace.loadKey("director")], threshold: 1 };
  const root = {
    version: 1,
    expiresMs: workspace.clock.nowMs() + workspace.expiries.rootMs,
    roles: { root: { keys: [rootKey], threshold: 1 }, targets: online, snapshot: online, timestamp: online },
  };
  await writeRoot(directorRootDirectory(workspace), 1, signRoot(root, [rootKey]));
}

/** The keys whose commands gateways obey; edit the file and deploy to change them. */
export async function loadOperators(workspace: Workspace): Promise<Operators> {
  const path = operatorsPath(workspace);
  return parseDocument(operatorsSchema, await readBytes(path, "list of operators"), { what: path });
}

async function createOperators(workspace: Workspace): Promise<void> {
  const { keyId, publicKey } = await workspace.loadKey("operator");
  const operator = { name: "operator", publicKey: Buffer.from(publicKey).toString("base64url"), may: ["*"] };
  const operators: Operators = { keys: { [keyId]: operator } };
  await writeFileAtomic(operatorsPath(workspace), `${JSON.stringify(operators, undefined, 2)}\n`);
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

function operatorsPath(workspace: Workspace): string {
  return join(workspace.directory, operatorsTarget);
}
