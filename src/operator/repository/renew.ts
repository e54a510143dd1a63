// Metadata signed again before it expires, or when a new root wants other keys: only the roles that need it.
import { join } from "node:path";
import { readBytes } from "../files.ts";
import type { Expiries } from "../expiries.ts";
import type { Workspace } from "../workspace.ts";
import type { RootContent } from "./metadata.ts";
import { directorRootDirectory, imageDirectory } from "./places.ts";
import { loadRepository } from "./repository.ts";
import type { RepositoryState } from "./repository.ts";
import { listSigners, loadRoot } from "./root.ts";
import { commitRound, commitTimestamp, signRound } from "./round.ts";
import { findSigners, onlineSigners } from "./signers.ts";

export type RepositoryName = "image" | "director";

export interface Renewal {
  /** "lapsed": what is there is not signed under the newest root, so no gateway takes it. */
  readonly targets: "fresh" | "ageing" | "lapsed";
  readonly snapshot: boolean;
}

/** Which roles below the timestamp, which is signed in any case, have to be signed again. */
export function planRenewal(
  { metadata, expiries }: RepositoryState,
  { roles }: RootContent,
  { nowMs, terms }: { readonly nowMs: number; readonly terms: Expiries },
): Renewal {
  if (metadata === undefined) return { targets: "lapsed", snapshot: true };
  const isSigned = (role: "targets" | "snapshot"): boolean =>
    listSigners(roles[role], metadata[role]).length >= roles[role].threshold;
  // Offline keys are asked for late, online ones early.
  const isAgeing = expiries.targets - nowMs <= terms.targetsMs / 4;
  const isStale = expiries.snapshot - nowMs <= terms.snapshotMs / 2;
  return {
    targets: isSigned("targets") ? (isAgeing ? "ageing" : "fresh") : "lapsed",
    snapshot: isStale || !isSigned("snapshot"),
  };
}

/** Resolves to what is left: targets that need keys which are not here. */
export async function renewRepository(
  workspace: Workspace,
  { repository, directory }: { readonly repository: RepositoryName; readonly directory: string },
): Promise<Renewal["targets"]> {
  const rootDirectory = repository === "image" ? imageDirectory(workspace) : directorRootDirectory(workspace);
  const { content } = await loadRoot(rootDirectory);
  const state = await loadRepository(directory);
  const plan = planRenewal(state, content, { nowMs: workspace.clock.nowMs(), terms: workspace.expiries });
  const online = await onlineSigners(workspace, repository);
  if (plan.targets !== "fresh") {
    const targets = await findSigners(workspace, content.roles.targets);
    if (targets.length >= content.roles.targets.threshold) {
      await signRound(workspace, directory, { targets: state.targets, signers: { targets, ...online } });
      return "fresh";
    }
  }
  if (plan.snapshot) await commitRound(workspace, directory, { files: {}, signers: online });
  else {
    const version = state.versions.snapshot;
    const bytes = await readBytes(join(directory, `${version}.snapshot.json`), "snapshot metadata");
    await commitTimestamp(workspace, directory, { snapshot: { version, bytes }, signer: online.timestamp });
  }
  return plan.targets;
}
