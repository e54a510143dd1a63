// What the director says to this one gateway: its targets checked for whom they are, its two documents fetched and parsed.
import { sha256Hex } from "../base/hash.ts";
import { limits } from "../base/limits.ts";
import { operatorsSchema } from "../protocol/command.ts";
import type { Operators } from "../protocol/command.ts";
import { deploymentSchema } from "../protocol/deployment.ts";
import type { Deployment, DeploymentText } from "../protocol/deployment.ts";
import { DocumentError, parseDocument, parseValue } from "../protocol/document.ts";
import { refuse, isRefusal } from "../protocol/refusal.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { deploymentTarget, directorCustomSchema, operatorsTarget, targetFileName } from "../protocol/repository.ts";
import type { FetchFile } from "./fetchFile.ts";
import { keepDocument, loadDocument } from "./metadataCache.ts";
import type { CacheLocation } from "./metadataCache.ts";
import type { SignedTarget, VerifiedMetadata } from "./tuf/metadata.ts";

export interface DirectorDocuments {
  readonly deployment: Deployment;
  readonly text: DeploymentText;
  readonly operators: Operators;
}

interface DocumentSource {
  readonly fetchFile: FetchFile;
  /** Where the documents are kept, so that one that did not change is not fetched again. */
  readonly location: CacheLocation;
}

const signAgain = "Deploy again with a current outstation.";

/** Uptane 5.4.4.6: the director delegates to nobody and names this gateway in every entry. */
export function checkAddressee(director: VerifiedMetadata, gateway: string): Refusal | undefined {
  if (director.delegates) return refuse("trust.malformed", "The director delegates its targets.", signAgain);
  // An empty list would fit every gateway, so it fits none.
  if (director.targets.size === 0) return refuse("trust.gateway", "The director names no gateway.", signAgain);
  for (const target of director.targets.values()) {
    const named = readGateway(target);
    if (isRefusal(named)) return named;
    if (named !== gateway) {
      const fix = `Publish the director of ${gateway} under its own topics.`;
      return refuse("trust.gateway", `${target.path} is for ${named}, this is ${gateway}.`, fix);
    }
  }
  return undefined;
}

/** Fetches and parses the deployment and the operators; "no-deployment" when the director lists none. */
export async function fetchDirectorDocuments(
  director: VerifiedMetadata,
  gateway: string,
  source: DocumentSource,
): Promise<DirectorDocuments | Refusal | "no-deployment"> {
  const signedDeployment = director.targets.get(deploymentTarget);
  if (signedDeployment === undefined) return "no-deployment";
  const signedOperators = director.targets.get(operatorsTarget);
  if (signedOperators === undefined)
    return refuse("trust.malformed", `The director lists no ${operatorsTarget}.`, signAgain);
  const operatorsBytes = await fetchTarget(signedOperators, source);
  if (isRefusal(operatorsBytes)) return operatorsBytes;
  const deploymentBytes = await fetchTarget(signedDeployment, source);
  if (isRefusal(deploymentBytes)) return deploymentBytes;
  const operators = parseOrRefuse("trust.malformed", () =>
    parseDocument(operatorsSchema, operatorsBytes, { what: operatorsTarget }),
  );
  if (isRefusal(operators)) return operators;
  const deployment = parseOrRefuse("deployment.malformed", () =>
    parseDocument(deploymentSchema, deploymentBytes, { what: "deployment" }),
  );
  if (isRefusal(deployment)) return deployment;
  if (deployment.gateway !== gateway) {
    const seen = `The deployment is for ${deployment.gateway}, this is ${gateway}.`;
    return refuse("trust.gateway", seen, `Deploy to ${gateway} itself.`);
  }
  // The schema has just accepted this very text.
  const text = JSON.parse(new TextDecoder().decode(deploymentBytes)) as DeploymentText;
  return { deployment, text, operators };
}

function readGateway(target: SignedTarget): string | Refusal {
  const what = `custom part of ${target.path}`;
  const custom = parseOrRefuse("trust.malformed", () => parseValue(directorCustomSchema, target.custom, { what }));
  return isRefusal(custom) ? custom : custom.gateway;
}

/** TUF 5.7.1 to 5.7.3: what is kept, or a bounded fetch by hash, and then exactly the signed length and hash. */
async function fetchTarget(
  target: SignedTarget,
  { fetchFile, location }: DocumentSource,
): Promise<Uint8Array | Refusal> {
  const maxBytes = limits.trust.deploymentMaxBytes;
  if (target.lengthBytes > maxBytes)
    return refuse("trust.malformed", `${target.path} has ${target.lengthBytes} bytes, over ${maxBytes}.`, signAgain);
  const kept = await loadDocument(location, target.path);
  if (kept !== undefined && isSigned(target, kept)) return kept;
  const name = targetFileName(target.path, target.sha256);
  const bytes = await fetchFile(name, target.lengthBytes);
  if (bytes === undefined) return refuse("trust.missing", `${name} is not there.`, "Publish the director again.");
  if (!isSigned(target, bytes))
    return refuse("trust.mismatch", `${name} is not what the director signed.`, "Publish the director again.");
  await keepDocument(location, target.path, bytes);
  return bytes;
}

function isSigned(target: SignedTarget, bytes: Uint8Array): boolean {
  return bytes.byteLength === target.lengthBytes && sha256Hex(bytes) === target.sha256;
}

function parseOrRefuse<T>(rule: "trust.malformed" | "deployment.malformed", parse: () => T): T | Refusal {
  try {
    return parse();
  } catch (thrown) {
    if (thrown instanceof DocumentError) return refuse(rule, thrown.message, signAgain);
    throw thrown;
  }
}
