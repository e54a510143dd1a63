// What one gateway is to run, signed for that gateway alone.
import { join } from "node:path";
import { TargetFile } from "@tufjs/models";
import { sha256Hex } from "../../base/hash.ts";
import { deploymentSchema } from "../../protocol/deployment.ts";
import type { DeploymentText } from "../../protocol/deployment.ts";
import { DocumentError, parseDocument, parseValue } from "../../protocol/document.ts";
import { releasePath } from "../../protocol/release.ts";
import { deploymentTarget, operatorsTarget, targetFileName } from "../../protocol/repository.ts";
import type { DirectorCustom } from "../../protocol/repository.ts";
import { isName } from "../../protocol/topics.ts";
import { OperatorError } from "../error.ts";
import { listNames, readBytes } from "../files.ts";
import { loadOperators } from "../operators.ts";
import type { Workspace } from "../workspace.ts";
import { listReleases } from "./addRelease.ts";
import type { ListedRelease } from "./addRelease.ts";
import { directorDirectory, gatewaysDirectory } from "./places.ts";
import { renewRepository } from "./renew.ts";
import { loadRepository, timestampFile } from "./repository.ts";
import type { RepositoryState } from "./repository.ts";
import { createRound, keepRound, signRound } from "./round.ts";
import type { NewRound, Round, Terms } from "./round.ts";
import { directorSigners } from "./signers.ts";
import type { RoundSigners } from "./signers.ts";

/** Signs a director that lists the operators and deploys nothing yet. */
export async function createDirector(
  workspace: Workspace,
  gateway: string,
  sources?: Pick<DirectorSources, "signers" | "operators">,
): Promise<void> {
  if (!isName(gateway))
    throw new OperatorError("gateway-invalid", `"${gateway}" is no gateway name. Use a-z, 0-9, ".", "_" and "-".`);
  const { versions } = await loadRepository(directorDirectory(workspace, gateway));
  if (versions.timestamp > 0)
    throw new OperatorError("gateway-invalid", `${gateway} has a director already. Deploy to it.`);
  const operators = createOperators(gateway, sources?.operators ?? (await readOperators(workspace)));
  await signDirector(workspace, gateway, { documents: [operators], others: [], signers: sources?.signers });
}

/** What directors are made of that is the same for all gateways: read once for as many as are signed. */
export interface DirectorSources {
  readonly signers: RoundSigners;
  readonly releases: readonly ListedRelease[];
  /** The document as every gateway gets it. */
  readonly operators: Uint8Array;
}

export async function loadDirectorSources(workspace: Workspace): Promise<DirectorSources> {
  const [signers, releases, operators] = await Promise.all([
    directorSigners(workspace),
    listReleases(workspace),
    readOperators(workspace),
  ]);
  return { signers, releases, operators };
}

/** Signs the next deployment of a gateway; resolves to it as signed. Refuses a release the image repository lacks. */
export async function deploy(
  workspace: Workspace,
  gateway: string,
  components: DeploymentText["components"],
  sources?: DirectorSources,
): Promise<DeploymentText> {
  const state = await loadDirector(workspace, gateway);
  const before = await readDeployment(workspace, gateway, state);
  const deployment: DeploymentText = { version: (before?.version ?? 0) + 1, gateway, components };
  const round = await createDirectorRound(
    workspace,
    { state, deployment },
    sources ?? (await loadDirectorSources(workspace)),
  );
  await keepRound(directorDirectory(workspace, gateway), round);
  return deployment;
}

/** The next round of a director that says this; nothing is read or written. */
export async function createDirectorRound(
  terms: Terms,
  { state, deployment }: { readonly state: RepositoryState; readonly deployment: DeploymentText },
  { signers, releases, operators }: DirectorSources,
): Promise<NewRound> {
  checkDeployment(deployment);
  const { gateway } = deployment;
  const text = new TextEncoder().encode(JSON.stringify(deployment));
  const documents = [
    createDocument(gateway, { path: deploymentTarget, bytes: text }),
    createOperators(gateway, operators),
  ];
  const others = selectTargets(gateway, deployment, releases);
  return createRound(terms, state, { ...joinDocuments(documents, others), signers });
}

/** What is deployed to a gateway as of now; undefined when nothing ever was. */
export async function loadDeployment(workspace: Workspace, gateway: string): Promise<DeploymentText | undefined> {
  return readDeployment(workspace, gateway, await loadDirector(workspace, gateway));
}

/** Signs again what ages, or what the director's root no longer vouches for; the deployment stays as it is. */
export async function renewDirector(workspace: Workspace, gateway: string): Promise<void> {
  await loadDirector(workspace, gateway);
  await renewRepository(workspace, { repository: "director", directory: directorDirectory(workspace, gateway) });
}

/** Signs the list of operators as it is now for a gateway, whose deployment stays as it is. */
export async function renewOperators(workspace: Workspace, gateway: string): Promise<void> {
  const { targets } = await loadDirector(workspace, gateway);
  const others = targets.filter(({ path }) => path !== operatorsTarget);
  const operators = createOperators(gateway, await readOperators(workspace));
  await signDirector(workspace, gateway, { documents: [operators], others });
}

/** Whether the gateway was ever deployed to from this workspace. */
export async function hasDirector(workspace: Workspace, gateway: string): Promise<boolean> {
  return (await loadRepository(directorDirectory(workspace, gateway))).versions.timestamp > 0;
}

/** Every gateway that has a director here, by name; a first signature that failed halfway leaves none. */
export async function listGateways(workspace: Workspace): Promise<readonly string[]> {
  const signed = async (name: string): Promise<readonly string[]> => {
    const files = await listNames(directorDirectory(workspace, name));
    return files.some((file) => file === timestampFile || file.endsWith(".snapshot.json")) ? [name] : [];
  };
  const names = (await listNames(gatewaysDirectory(workspace))).filter(isName);
  return (await Promise.all(names.map(signed))).flat();
}

async function loadDirector(workspace: Workspace, gateway: string): Promise<RepositoryState> {
  const state = await loadRepository(directorDirectory(workspace, gateway));
  if (state.versions.timestamp > 0) return state;
  throw new OperatorError(
    "gateway-missing",
    `${gateway} was never deployed to. Deploy to it: outstation deploy ${gateway} deployment.json`,
  );
}

async function readDeployment(
  workspace: Workspace,
  gateway: string,
  state: RepositoryState,
): Promise<DeploymentText | undefined> {
  const target = state.targets.find(({ path }) => path === deploymentTarget);
  if (target === undefined) return undefined;
  const bytes = await readBytes(join(directorDirectory(workspace, gateway), documentFile(target)), "deployment");
  parseDocument(deploymentSchema, bytes, { what: `deployment of ${gateway}` });
  return JSON.parse(new TextDecoder().decode(bytes)) as DeploymentText;
}

function checkDeployment(deployment: DeploymentText): void {
  try {
    parseValue(deploymentSchema, deployment, { what: "deployment" });
  } catch (cause) {
    if (cause instanceof DocumentError) throw new OperatorError("deployment-invalid", cause.message, { cause });
    throw cause;
  }
}

/** Uptane 5.4.4.6: the same length and hash as the image repository says, under the same path. */
function selectTargets(
  gateway: string,
  deployment: DeploymentText,
  listed: readonly ListedRelease[],
): readonly TargetFile[] {
  const names = new Set(Object.values(deployment.components).map(({ release }) => release));
  return [...names].map((name) => {
    const found = listed.find(({ release }) => `${release.component}@${release.version}` === name);
    if (found === undefined)
      throw new OperatorError(
        "release-missing",
        `${name} is not released. Release it first: outstation release ${name}`,
      );
    const path = releasePath(found.release.component, found.release.version);
    const { counter, world } = found.release;
    const custom = { gateway, counter, ...(world === undefined ? {} : { world }) };
    return createTarget(custom, { path, lengthBytes: found.lengthBytes, sha256: found.sha256 });
  });
}

/** A file of the director's own, and the target that names it. */
interface DirectorDocument {
  readonly target: TargetFile;
  readonly bytes: Uint8Array;
}

async function readOperators(workspace: Workspace): Promise<Uint8Array> {
  return new TextEncoder().encode(JSON.stringify(await loadOperators(workspace)));
}

function createOperators(gateway: string, bytes: Uint8Array): DirectorDocument {
  return createDocument(gateway, { path: operatorsTarget, bytes });
}

function createDocument(
  gateway: string,
  { path, bytes }: { readonly path: string; readonly bytes: Uint8Array },
): DirectorDocument {
  return {
    target: createTarget({ gateway }, { path, lengthBytes: bytes.byteLength, sha256: sha256Hex(bytes) }),
    bytes,
  };
}

function joinDocuments(
  documents: readonly DirectorDocument[],
  others: readonly TargetFile[],
): Pick<Round, "targets" | "documents"> {
  const named = documents.map(({ target, bytes }) => [documentFile(target), bytes] as const);
  return { targets: [...documents.map(({ target }) => target), ...others], documents: new Map(named) };
}

function documentFile({ path, hashes }: TargetFile): string {
  return targetFileName(path, hashes["sha256"] ?? "");
}

function createTarget(
  custom: DirectorCustom,
  { path, lengthBytes, sha256 }: { readonly path: string; readonly lengthBytes: number; readonly sha256: string },
): TargetFile {
  return new TargetFile({
    path,
    length: lengthBytes,
    hashes: { sha256 },
    unrecognizedFields: { custom: custom as Record<string, string | number> },
  });
}

async function signDirector(
  workspace: Workspace,
  gateway: string,
  round: {
    readonly documents: readonly DirectorDocument[];
    readonly others: readonly TargetFile[];
    readonly signers?: RoundSigners | undefined;
  },
): Promise<void> {
  const signers = round.signers ?? (await directorSigners(workspace));
  const files = joinDocuments(round.documents, round.others);
  await signRound(workspace, directorDirectory(workspace, gateway), { ...files, signers });
}
