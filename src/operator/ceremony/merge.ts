// Signatures brought back together: the same content in every file, each key counted once, then it takes effect.
import { Signature } from "@tufjs/models";
import { OperatorError } from "../error.ts";
import { writeFileAtomic } from "../files.ts";
import { encode } from "../repository/metadata.ts";
import type { RoleKeys } from "../repository/metadata.ts";
import { imageDirectory } from "../repository/places.ts";
import { loadRepository, writeRoot } from "../repository/repository.ts";
import { listSigners, loadRoot } from "../repository/root.ts";
import { commitRound } from "../repository/round.ts";
import { onlineSigners } from "../repository/signers.ts";
import type { Workspace } from "../workspace.ts";
import { withWorkspaceLock } from "../workspaceLock.ts";
import { loadTargetsRole, targetsOf } from "./changeTargets.ts";
import { describeSubject, isSameContent, loadProposal, readProposed, removeProposal } from "./proposal.ts";
import type { Proposal, Proposed, Subject } from "./proposal.ts";
import { rootDirectoryOf } from "./proposeRoot.ts";

export interface Merged {
  readonly subject: Subject;
  readonly version: number;
  /** Ids of the keys whose signatures count. */
  readonly signers: readonly string[];
}

/**
 * Adds the files' signatures to the proposal they were made from. When they are enough it becomes the next root, or the
 * next targets; OperatorError "signatures-missing" otherwise, and what came so far is kept.
 */
export function mergeProposals(
  workspace: Workspace,
  kind: Proposed["kind"],
  paths: readonly string[],
): Promise<Merged> {
  return withWorkspaceLock(workspace, () => merge(workspace, kind, paths));
}

async function merge(workspace: Workspace, kind: Proposed["kind"], paths: readonly string[]): Promise<Merged> {
  const files = await Promise.all(paths.map(async (path) => ({ path, proposed: await readProposed(path) })));
  const proposal = await findProposal(workspace, kind, files);
  const roles = await loadRoles(workspace, proposal);
  for (const file of files) takeSignatures(proposal, roles, file);
  const { metadata } = proposal.proposed;
  const bytes = await encode(metadata);
  await writeFileAtomic(proposal.path, bytes);
  for (const { what, role } of roles) {
    const signed = listSigners(role, metadata).length;
    if (signed >= role.threshold) continue;
    const message = `${proposal.path} has ${signed} of the ${role.threshold} signatures that ${what} needs. Sign it with another key: outstation ${kind} sign, then merge again.`;
    throw new OperatorError("signatures-missing", message);
  }
  const signers = [...new Set(roles.flatMap(({ role }) => listSigners(role, metadata)))];
  await install(workspace, proposal, bytes);
  await removeProposal(workspace, proposal);
  return { subject: proposal.subject, version: proposal.version, signers };
}

interface File {
  readonly path: string;
  readonly proposed: Proposed;
}

interface Counted {
  readonly what: string;
  readonly role: RoleKeys;
}

/** What waits in this workspace and asks for exactly these bytes: nothing else was meant to be signed. */
async function findProposal(workspace: Workspace, kind: Proposed["kind"], files: readonly File[]): Promise<Proposal> {
  const waiting = await listProposals(workspace, kind);
  const [first, ...others] = files;
  if (first === undefined) throw new OperatorError("proposal-invalid", "Name the signed files to merge.");
  const found = waiting.find(({ proposed }) => isSameContent(proposed, first.proposed));
  if (found === undefined)
    throw new OperatorError(
      "proposal-invalid",
      waiting.length === 0
        ? `${first.path} is not waited for: nothing of that kind was proposed here, or it is merged already.`
        : `${first.path} is not what was proposed here in ${waiting.map(({ path }) => path).join(" or ")}: its content was changed. Ask whoever signed it what they signed.`,
    );
  const odd = others.find(({ proposed }) => !isSameContent(proposed, found.proposed));
  if (odd === undefined) return found;
  throw new OperatorError(
    "proposal-invalid",
    `${odd.path} and ${first.path} are not the same content. Merge one proposal at a time.`,
  );
}

async function listProposals(workspace: Workspace, kind: Proposed["kind"]): Promise<readonly Proposal[]> {
  const found: Proposal[] = [];
  const add = async (subject: Subject, version: number): Promise<void> => {
    const proposal = await loadProposal(workspace, subject, version);
    if (proposal !== undefined) found.push(proposal);
  };
  if (kind === "root") {
    for (const repository of ["image", "director"] as const) {
      const { content } = await loadRoot(rootDirectoryOf(workspace, repository));
      await add({ kind, repository }, content.version + 1);
    }
    return found;
  }
  const state = await loadRepository(imageDirectory(workspace));
  for (const role of ["targets", ...Object.keys(state.delegations?.roles ?? {})])
    await add({ kind, role }, targetsOf(state, role).version + 1);
  return found;
}

/** TUF 5.3.4: a root is signed under the root before it and under itself; targets under whoever delegates to them. */
async function loadRoles(workspace: Workspace, { subject, proposed }: Proposal): Promise<readonly Counted[]> {
  if (proposed.kind === "root" && subject.kind === "root") {
    const { content } = await loadRoot(rootDirectoryOf(workspace, subject.repository));
    return [
      { what: `root ${content.version}, which it replaces,`, role: content.roles.root },
      { what: "the new root itself", role: proposed.root.content.roles.root },
    ];
  }
  const role = subject.kind === "targets" ? subject.role : "targets";
  const state = await loadRepository(imageDirectory(workspace));
  return [{ what: describeSubject(subject), role: await loadTargetsRole(workspace, role, state) }];
}

function takeSignatures({ proposed }: Proposal, roles: readonly Counted[], { path, proposed: signed }: File): void {
  const known = new Set(roles.flatMap(({ role }) => role.keys.map(({ keyId }) => keyId)));
  const valid = new Set(roles.flatMap(({ role }) => listSigners(role, signed.metadata)));
  for (const [keyId, { sig }] of Object.entries(signed.metadata.signatures)) {
    if (!known.has(keyId))
      throw new OperatorError(
        "proposal-invalid",
        `${path} is signed by ${keyId}, whose word does not count here. Sign with a key of the role.`,
      );
    if (!valid.has(keyId))
      throw new OperatorError(
        "proposal-invalid",
        `In ${path} the signature of ${keyId} is not over this content. Sign the file again.`,
      );
    proposed.metadata.signatures[keyId] = new Signature({ keyID: keyId, sig });
  }
}

async function install(workspace: Workspace, { subject, version }: Proposal, bytes: Uint8Array): Promise<void> {
  if (subject.kind === "root") return writeRoot(rootDirectoryOf(workspace, subject.repository), version, bytes);
  const signers = await onlineSigners(workspace, "image");
  const files = { [`${subject.role}.json`]: { version, bytes } };
  await commitRound(workspace, imageDirectory(workspace), { files, signers });
}
