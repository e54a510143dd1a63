// Which of the keys that a role names are here to sign for it.
import { OperatorError } from "../error.ts";
import type { SigningKey } from "../keys/key.ts";
import type { Workspace } from "../workspace.ts";
import type { RoleKeys, RootRole } from "./metadata.ts";
import { directorRootDirectory, imageDirectory } from "./places.ts";
import { loadRoot } from "./root.ts";

export interface OnlineSigners {
  readonly snapshot: SigningKey;
  readonly timestamp: SigningKey;
}

export interface RoundSigners extends OnlineSigners {
  readonly targets: readonly SigningKey[];
}

/** Those of a role's keys that are here, as many as the role needs. */
export async function findSigners(
  workspace: Pick<Workspace, "findKey">,
  { keys, threshold }: RoleKeys,
): Promise<readonly SigningKey[]> {
  const found: SigningKey[] = [];
  for (const { keyId } of keys) {
    if (found.length === threshold) break;
    const key = await workspace.findKey(keyId);
    if (key !== undefined) found.push(key);
  }
  return found;
}

/** OperatorError "key-missing" that names the role when too few of its keys are here. */
export async function requireSigners(
  workspace: Workspace,
  role: RoleKeys,
  what: string,
): Promise<readonly SigningKey[]> {
  const found = await findSigners(workspace, role);
  if (found.length >= role.threshold) return found;
  const ids = role.keys.map(({ keyId }) => keyId.slice(0, 16)).join(", ");
  throw new OperatorError(
    "key-missing",
    `${found.length} of the ${role.threshold} keys that must sign the ${what} are here. They are ${ids}; see: outstation keys list`,
  );
}

export async function imageSigners(workspace: Workspace): Promise<RoundSigners> {
  return loadSigners(workspace, "image", imageDirectory(workspace));
}

export async function directorSigners(workspace: Workspace): Promise<RoundSigners> {
  return loadSigners(workspace, "director", directorRootDirectory(workspace));
}

/** For a renewal that leaves the targets as they are. */
export async function onlineSigners(workspace: Workspace, repository: "image" | "director"): Promise<OnlineSigners> {
  const directory = repository === "image" ? imageDirectory(workspace) : directorRootDirectory(workspace);
  const { roles } = (await loadRoot(directory)).content;
  const one = async (role: RootRole): Promise<SigningKey> => {
    const [key] = await requireSigners(workspace, roles[role], `${repository}'s ${role}`);
    if (key === undefined) throw new OperatorError("key-missing", `The ${repository}'s ${role} has no key.`);
    return key;
  };
  return { snapshot: await one("snapshot"), timestamp: await one("timestamp") };
}

async function loadSigners(
  workspace: Workspace,
  repository: "image" | "director",
  directory: string,
): Promise<RoundSigners> {
  const { roles } = (await loadRoot(directory)).content;
  const targets = await requireSigners(workspace, roles.targets, `${repository}'s targets`);
  return { targets, ...(await onlineSigners(workspace, repository)) };
}
