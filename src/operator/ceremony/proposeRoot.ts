// The next root of a repository, proposed: which keys hold which role, for the root keys to sign wherever they are.
import { Metadata, MetadataKind } from "@tufjs/models";
import { OperatorError } from "../error.ts";
import type { PublicKey } from "../keys/key.ts";
import { rootRoles, signRoot } from "../repository/metadata.ts";
import type { RoleKeys, RootContent, RootRole } from "../repository/metadata.ts";
import { directorRootDirectory, imageDirectory } from "../repository/places.ts";
import type { RepositoryName } from "../repository/renew.ts";
import { parseJson } from "../repository/repository.ts";
import { checkRoot, loadRoot } from "../repository/root.ts";
import type { Workspace } from "../workspace.ts";
import { loadProposal, saveProposal } from "./proposal.ts";

export type RootRoles = RootContent["roles"];

/**
 * Writes the next root with changed roles and a new expiry. One that waits already is changed further, and loses its
 * signatures, which were over something else. Resolves to the file.
 */
export async function proposeRoot(
  workspace: Workspace,
  repository: RepositoryName,
  change: (roles: RootRoles) => RootRoles,
): Promise<string> {
  const newest = await loadRoot(rootDirectoryOf(workspace, repository));
  const version = newest.content.version + 1;
  const expiresMs = workspace.clock.nowMs() + workspace.expiries.rootMs;
  const content = { version, expiresMs, roles: change(await loadNextRoles(workspace, repository)) };
  checkRoot(content, `The next ${repository} root`);
  const metadata = Metadata.fromJSON(MetadataKind.Root, parseJson(await signRoot(content, [])));
  return saveProposal(workspace, { kind: "root", repository }, { metadata, before: newest.bytes });
}

/** The roles of the root that waits, or of the newest one. */
export async function loadNextRoles(workspace: Workspace, repository: RepositoryName): Promise<RootRoles> {
  const { content } = await loadRoot(rootDirectoryOf(workspace, repository));
  const waiting = await loadProposal(workspace, { kind: "root", repository }, content.version + 1);
  return waiting?.proposed.kind === "root" ? waiting.proposed.root.content.roles : content.roles;
}

/** Every role that the key holds gets another in its place. */
export function replaceKey(roles: RootRoles, keyId: string, next: PublicKey): RootRoles {
  return mapRoles(roles, ({ keys, threshold }) => ({
    threshold,
    keys: keys.map((key) => (key.keyId === keyId ? next : key)),
  }));
}

/** OperatorError "root-invalid" when a role would keep fewer keys than must sign for it. */
export function removeKey(roles: RootRoles, keyId: string): RootRoles {
  for (const role of rootRoles) {
    const { keys, threshold } = roles[role];
    const left = keys.filter((key) => key.keyId !== keyId).length;
    if (left < keys.length && left < threshold)
      throw new OperatorError(
        "root-invalid",
        `Without ${keyId} ${role} would have ${left} keys, and ${threshold} must sign. Put another in its place: outstation keys rotate`,
      );
  }
  return mapRoles(roles, ({ keys, threshold }) => ({ threshold, keys: keys.filter((key) => key.keyId !== keyId) }));
}

/** Roles that a key holds. */
export function rolesOf(roles: RootRoles, keyId: string): readonly RootRole[] {
  return rootRoles.filter((role) => roles[role].keys.some((key) => key.keyId === keyId));
}

export function rootDirectoryOf(workspace: Workspace, repository: RepositoryName): string {
  return repository === "image" ? imageDirectory(workspace) : directorRootDirectory(workspace);
}

function mapRoles(roles: RootRoles, change: (role: RoleKeys) => RoleKeys): RootRoles {
  const { root, targets, snapshot, timestamp } = roles;
  return { root: change(root), targets: change(targets), snapshot: change(snapshot), timestamp: change(timestamp) };
}
