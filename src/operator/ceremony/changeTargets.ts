// The next targets of the image repository, or of one publisher: signed at once by keys that are here, else proposed.
import { join } from "node:path";
import { Metadata, MetadataKind } from "@tufjs/models";
import type { TargetFile } from "@tufjs/models";
import type { Delegations } from "@tufjs/models/dist/delegations.js";
import { OperatorError } from "../error.ts";
import { readBytes } from "../files.ts";
import { readDelegation } from "../repository/delegations.ts";
import { signTargets } from "../repository/metadata.ts";
import type { RoleKeys } from "../repository/metadata.ts";
import { imageDirectory } from "../repository/places.ts";
import { loadRepository, parseJson } from "../repository/repository.ts";
import type { RepositoryState } from "../repository/repository.ts";
import { loadRoot } from "../repository/root.ts";
import { commitRound } from "../repository/round.ts";
import { findSigners, onlineSigners } from "../repository/signers.ts";
import type { Workspace } from "../workspace.ts";
import { withWorkspaceLock } from "../workspaceLock.ts";
import { loadProposal, saveProposal } from "./proposal.ts";

export type TargetsOutcome =
  | { readonly kind: "signed" }
  /** The file to sign elsewhere and to merge here. */
  | { readonly kind: "pending"; readonly path: string };

export interface TargetsNow {
  readonly targets: readonly TargetFile[];
  readonly delegations?: Delegations | undefined;
}

/** Applies a change to what the role lists now. OperatorError "proposal-exists" while another change of it waits. */
export function changeTargets(
  workspace: Workspace,
  role: string,
  change: (before: TargetsNow) => TargetsNow,
): Promise<TargetsOutcome> {
  return withWorkspaceLock(workspace, () => signChange(workspace, role, change));
}

async function signChange(
  workspace: Workspace,
  role: string,
  change: (before: TargetsNow) => TargetsNow,
): Promise<TargetsOutcome> {
  const directory = imageDirectory(workspace);
  const state = await loadRepository(directory);
  await checkNothingPending(workspace, role, state);
  const before = targetsOf(state, role);
  const keys = await loadTargetsRole(workspace, role, state);
  const signers = await findSigners(workspace, keys);
  const version = before.version + 1;
  const expiresMs = workspace.clock.nowMs() + workspace.expiries.targetsMs;
  const next = { ...before, ...change(before) };
  const bytes = await signTargets({ ...next, version, expiresMs }, signers);
  if (signers.length >= keys.threshold) {
    const online = await onlineSigners(workspace, "image");
    await commitRound(workspace, directory, { files: { [`${role}.json`]: { version, bytes } }, signers: online });
    return { kind: "signed" };
  }
  const metadata = Metadata.fromJSON(MetadataKind.Targets, parseJson(bytes));
  const subject = { kind: "targets", role } as const;
  return {
    kind: "pending",
    path: await saveProposal(workspace, subject, {
      metadata,
      before: await readBefore(directory, role, before.version),
    }),
  };
}

/** The same without a change: the next version of what is there, or the one that waits already. */
export async function renewTargets(workspace: Workspace, role: string): Promise<TargetsOutcome> {
  const state = await loadRepository(imageDirectory(workspace));
  const waiting = await loadProposal(workspace, { kind: "targets", role }, targetsOf(state, role).version + 1);
  if (waiting !== undefined) return { kind: "pending", path: waiting.path };
  return changeTargets(workspace, role, (before) => before);
}

/** Who signs for the top-level targets, or for a publisher. */
export async function loadTargetsRole(workspace: Workspace, role: string, state: RepositoryState): Promise<RoleKeys> {
  if (role !== "targets") return readDelegation(state, role);
  return (await loadRoot(imageDirectory(workspace))).content.roles.targets;
}

/** Changes do not pile up: the second would be lost with the first, or carry signatures the first never got. */
export async function checkNothingPending(workspace: Workspace, role: string, state: RepositoryState): Promise<void> {
  const waiting = await loadProposal(workspace, { kind: "targets", role }, targetsOf(state, role).version + 1);
  if (waiting === undefined) return;
  throw new OperatorError(
    "proposal-exists",
    `${waiting.path} waits for signatures. Merge it first (outstation targets merge), or remove the file to drop it.`,
  );
}

export function targetsOf(state: RepositoryState, role: string): TargetsNow & { readonly version: number } {
  if (role === "targets")
    return { version: state.versions.targets, targets: state.targets, delegations: state.delegations };
  const publisher = state.publishers.get(role);
  return { version: publisher?.version ?? 0, targets: publisher?.targets ?? [] };
}

async function readBefore(directory: string, role: string, version: number): Promise<Uint8Array | undefined> {
  if (version === 0) return undefined;
  return readBytes(join(directory, `${version}.${role}.json`), "targets metadata");
}
