// Metadata that waits for signatures from elsewhere: a file to carry to the keys and back, beside the one it follows.
import { basename, dirname, join } from "node:path";
import { MetadataKind } from "@tufjs/models";
import type { Metadata, Root, Targets } from "@tufjs/models";
import { limits } from "../../base/limits.ts";
import { OperatorError } from "../error.ts";
import { listNames, readBytes, removeFile, writeFileAtomic } from "../files.ts";
import { encode, payloadOf } from "../repository/metadata.ts";
import { checkDelegations } from "../repository/delegations.ts";
import { pendingDirectory } from "../repository/places.ts";
import { orInvalid, parseJson, parseTargets } from "../repository/repository.ts";
import { parseRoot } from "../repository/root.ts";
import type { SignedRoot } from "../repository/root.ts";
import type { Workspace } from "../workspace.ts";

/** Root of the image repository or of the directors, top-level targets, or the targets of the publisher named `role`. */
export type Subject =
  | { readonly kind: "root"; readonly repository: "image" | "director" }
  | { readonly kind: "targets"; readonly role: string };

export type Proposed =
  | { readonly kind: "root"; readonly root: SignedRoot; readonly metadata: Metadata<Root> }
  | { readonly kind: "targets"; readonly metadata: Metadata<Targets> };

export interface Proposal {
  readonly subject: Subject;
  readonly version: number;
  readonly path: string;
  readonly proposed: Proposed;
}

/** Writes the proposal, and the metadata it follows, if any, for whoever signs to compare. Resolves to the proposal's path. */
export async function saveProposal(
  workspace: Workspace,
  subject: Subject,
  { metadata, before }: { readonly metadata: Metadata<Root | Targets>; readonly before: Uint8Array | undefined },
): Promise<string> {
  const { version } = metadata.signed;
  if (before !== undefined) await writeFileAtomic(proposalPath(workspace, subject, version - 1), before);
  const path = proposalPath(workspace, subject, version);
  await writeFileAtomic(path, await encode(metadata));
  return path;
}

/** What waits now; undefined when nothing does. */
export async function loadProposal(
  workspace: Workspace,
  subject: Subject,
  version: number,
): Promise<Proposal | undefined> {
  const path = proposalPath(workspace, subject, version);
  const names = await listNames(pendingDirectory(workspace));
  if (!names.some((name) => join(pendingDirectory(workspace), name) === path)) return undefined;
  return { subject, version, path, proposed: await readProposed(path) };
}

export async function removeProposal(workspace: Workspace, { subject, version }: Proposal): Promise<void> {
  await removeFile(proposalPath(workspace, subject, version));
  await removeFile(proposalPath(workspace, subject, version - 1));
}

/** Any file that says it is a root or targets. OperatorError "proposal-invalid" for everything else. */
export async function readProposed(path: string): Promise<Proposed> {
  const bytes = await readBytes(path, "file to sign");
  if (bytes.length > limits.trust.targetsMaxBytes)
    throw new OperatorError(
      "proposal-invalid",
      `${path} has ${bytes.length} bytes; a gateway reads at most ${limits.trust.targetsMaxBytes}. Is it the right file?`,
    );
  const type = orInvalid(path, "signed metadata", () => readType(parseJson(bytes)));
  if (type === MetadataKind.Root) {
    const root = parseRoot(bytes, path);
    return { kind: "root", root, metadata: root.metadata };
  }
  if (type === MetadataKind.Targets) {
    const metadata = parseTargets(bytes, path);
    checkDelegations(metadata.signed.delegations, path);
    return { kind: "targets", metadata };
  }
  throw new OperatorError("proposal-invalid", `${path} is neither a root nor targets. Take a file of pending/.`);
}

/** The file of the version before, where `saveProposal` puts it. */
export function pathBefore(path: string, version: number): string {
  return join(dirname(path), basename(path).replace(`.${version}.`, `.${version - 1}.`));
}

/** Whether two documents ask for signatures over the same bytes. */
export function isSameContent(a: Proposed, b: Proposed): boolean {
  return Buffer.compare(payloadOf(a.metadata), payloadOf(b.metadata)) === 0;
}

export function describeSubject(subject: Subject): string {
  if (subject.kind === "root") return `${subject.repository} root`;
  return subject.role === "targets" ? "targets" : `targets of ${subject.role}`;
}

function readType(json: unknown): unknown {
  const { signed } = (json ?? {}) as { readonly signed?: { readonly _type?: unknown } };
  return signed?._type;
}

function proposalPath(workspace: Workspace, subject: Subject, version: number): string {
  const name =
    subject.kind === "root" ? `${subject.repository}.${version}.root.json` : `${subject.role}.${version}.json`;
  return join(pendingDirectory(workspace), name);
}
