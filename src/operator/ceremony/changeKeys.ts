// A key replaced or taken away: what the root keys must agree to is proposed, the list of operators is changed at once.
import { OperatorError } from "../error.ts";
import { makeKey, nextKeyName } from "../keys/makeKey.ts";
import type { MadeKey, NewKey } from "../keys/makeKey.ts";
import { describeOperator, loadOperators, saveOperators } from "../operators.ts";
import type { RepositoryName } from "../repository/renew.ts";
import { keysDirectory } from "../workspace.ts";
import type { Workspace } from "../workspace.ts";
import { withWorkspaceLock } from "../workspaceLock.ts";
import { findListed } from "./keyRoles.ts";
import type { ListedKey } from "./keyRoles.ts";
import { loadNextRoles, proposeRoot, removeKey, replaceKey, rolesOf } from "./proposeRoot.ts";
import type { RootRoles } from "./proposeRoot.ts";
import { renewAllOperators } from "./takeEffect.ts";

export interface KeyChange {
  readonly keyId: string;
  /** Roots that wait for signatures now. */
  readonly proposals: readonly string[];
  /** Whether the list of operators changed and every director was signed again. */
  readonly operators: boolean;
}

export interface Rotation extends KeyChange {
  readonly made: MadeKey;
}

/** Makes a new key and gives it every role of the old one, whose file stays: it may have to sign for the change. */
export function rotateKey(workspace: Workspace, text: string, options: Pick<NewKey, "token"> = {}): Promise<Rotation> {
  return withWorkspaceLock(workspace, () => rotate(workspace, text, options));
}

async function rotate(workspace: Workspace, text: string, options: Pick<NewKey, "token">): Promise<Rotation> {
  const { keyId, name, roles } = await findListed(workspace, text);
  checkRoles(text, roles);
  await checkNotProposed(workspace, keyId, roles);
  const directory = keysDirectory(workspace.directory);
  const next = await nextKeyName(directory, name ?? roles[0]?.role ?? "key");
  const made = await makeKey(directory, {
    name: next,
    secrets: workspace.secrets,
    clear: workspace.settings.dev,
    ...options,
  });
  const proposals = await proposeAll(workspace, roles, (before) => replaceKey(before, keyId, made));
  const operators = await changeOperators(workspace, roles, (keys) => {
    const { [keyId]: old, ...others } = keys;
    const { name = next, may = [] } = old ?? {};
    return { ...others, [made.keyId]: describeOperator(made, { name, may }) };
  });
  return { keyId, made, proposals, operators };
}

/** Takes every role from a key. OperatorError "root-invalid" when a threshold could not be met any more. */
export function revokeKey(workspace: Workspace, text: string): Promise<KeyChange> {
  return withWorkspaceLock(workspace, () => revoke(workspace, text));
}

async function revoke(workspace: Workspace, text: string): Promise<KeyChange> {
  const { keyId, roles } = await findListed(workspace, text);
  checkRoles(text, roles);
  await checkNotProposed(workspace, keyId, roles);
  const proposals = await proposeAll(workspace, roles, (before) => removeKey(before, keyId));
  const operators = await changeOperators(workspace, roles, (keys) =>
    Object.fromEntries(Object.entries(keys).filter(([id]) => id !== keyId)),
  );
  return { keyId, proposals, operators };
}

/** The same keys, another year. */
export function renewRoot(workspace: Workspace, repository: RepositoryName): Promise<string> {
  return withWorkspaceLock(workspace, () => proposeRoot(workspace, repository, (roles) => roles));
}

function checkRoles(text: string, roles: ListedKey["roles"]): void {
  if (roles.length === 0)
    throw new OperatorError("key-invalid", `The key "${text}" holds no role: nothing trusts it. Delete its file.`);
  const publisher = roles.find(({ repository, role }) => repository === "image" && !isTopLevel(role));
  if (publisher === undefined) return;
  throw new OperatorError(
    "key-invalid",
    `The key "${text}" is publisher ${publisher.role}'s. Give it another with: outstation publisher add ${publisher.role} --paths … --key …`,
  );
}

/** A root that waits may have taken the key away already; doing it twice would make a key that nothing trusts. */
async function checkNotProposed(workspace: Workspace, keyId: string, roles: ListedKey["roles"]): Promise<void> {
  for (const repository of ["image", "director"] as const) {
    if (!roles.some((role) => role.repository === repository)) continue;
    const next = await loadNextRoles(workspace, repository);
    if (rolesOf(next, keyId).length > 0) continue;
    const message = `The next ${repository} root, which waits in pending/, takes ${keyId} away already. Sign and merge it, or remove the file.`;
    throw new OperatorError("proposal-exists", message);
  }
}

function isTopLevel(role: string): boolean {
  return ["root", "targets", "snapshot", "timestamp"].includes(role);
}

async function proposeAll(
  workspace: Workspace,
  roles: ListedKey["roles"],
  change: (before: RootRoles) => RootRoles,
): Promise<readonly string[]> {
  const proposals: string[] = [];
  for (const repository of ["image", "director"] as const)
    if (roles.some((role) => role.repository === repository))
      proposals.push(await proposeRoot(workspace, repository, change));
  return proposals;
}

type OperatorKeys = Awaited<ReturnType<typeof loadOperators>>["keys"];

async function changeOperators(
  workspace: Workspace,
  roles: ListedKey["roles"],
  change: (keys: OperatorKeys) => OperatorKeys,
): Promise<boolean> {
  if (!roles.some(({ repository }) => repository === "operators")) return false;
  const operators = await loadOperators(workspace);
  await saveOperators(workspace, { keys: change(operators.keys) });
  await renewAllOperators(workspace);
  return true;
}
