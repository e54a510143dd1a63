// Which key may sign what: both roots, the publishers and the list of operators, held against the keys that are here.
import { OperatorError } from "../error.ts";
import type { PublicKey } from "../keys/key.ts";
import { listKeys, openKey } from "../keys/keyring.ts";
import type { KeptKey } from "../keys/keyring.ts";
import { listPublicNames } from "../keys/publicKeyFile.ts";
import { loadOperators } from "../operators.ts";
import { listPublishers } from "../repository/delegations.ts";
import { rootRoles } from "../repository/metadata.ts";
import type { RoleKeys } from "../repository/metadata.ts";
import { imageDirectory } from "../repository/places.ts";
import { loadRepository } from "../repository/repository.ts";
import { loadRoot } from "../repository/root.ts";
import { keysDirectory } from "../workspace.ts";
import type { Workspace } from "../workspace.ts";
import { rootDirectoryOf } from "./proposeRoot.ts";

export interface HeldRole {
  readonly repository: "image" | "director" | "operators";
  /** A role of TUF, a publisher's name, or "operator". */
  readonly role: string;
  readonly threshold: number;
  readonly keys: number;
  /** Of the role's newest metadata; a director's differs from gateway to gateway, so only its root says one. */
  readonly expiresMs: number | undefined;
}

export interface ListedKey {
  /** Undefined when neither the key nor its public half is in this workspace. */
  readonly name: string | undefined;
  /** Undefined when the file does not say it and did not open. */
  readonly keyId: string | undefined;
  readonly place: KeptKey["place"] | "elsewhere";
  readonly roles: readonly HeldRole[];
}

/** Every key that holds a role, and every other key that is here. */
export async function listKeyRoles(workspace: Workspace): Promise<readonly ListedKey[]> {
  const held = await listHeld(workspace);
  const kept = await Promise.all(
    (await listKeys(keysDirectory(workspace.directory))).map((key) => identify(workspace, key)),
  );
  const here = kept.map(({ name, place, publicKey }) => {
    const keyId = publicKey?.keyId;
    return { name, keyId, place, roles: (keyId === undefined ? undefined : held.get(keyId)) ?? [] };
  });
  const known = new Set(here.map(({ keyId }) => keyId));
  const away = [...held].filter(([keyId]) => !known.has(keyId));
  const names = await listPublicNames(keysDirectory(workspace.directory));
  return [
    ...here,
    ...away.map(([keyId, roles]) => ({ name: names.get(keyId), keyId, place: "elsewhere" as const, roles })),
  ];
}

/** By name or key id, or the beginning of one. OperatorError "key-missing" or "key-invalid" when it is not one key. */
export async function findListed(workspace: Workspace, text: string): Promise<ListedKey & { readonly keyId: string }> {
  const all = await listKeyRoles(workspace);
  const named = all.filter(({ name }) => name === text);
  const found =
    named.length > 0 ? named : all.filter(({ keyId }) => text.length >= 8 && keyId?.startsWith(text) === true);
  const [first, ...others] = found;
  if (first === undefined)
    throw new OperatorError(
      "key-missing",
      `There is no key "${text}", by name or by the first 8 digits of its id. See: outstation keys list`,
    );
  if (others.length > 0)
    throw new OperatorError("key-invalid", `Several keys begin with ${text}. Give more of the id.`);
  if (first.keyId === undefined)
    throw new OperatorError("key-locked", `The key "${text}" does not say its id unopened. Give its passphrase.`);
  return { ...first, keyId: first.keyId };
}

async function listHeld(workspace: Workspace): Promise<ReadonlyMap<string, readonly HeldRole[]>> {
  const held = new Map<string, HeldRole[]>();
  const add = (keys: readonly PublicKey[], role: HeldRole): void => {
    for (const { keyId } of keys) held.set(keyId, [...(held.get(keyId) ?? []), role]);
  };
  const describe = ({ keys, threshold }: RoleKeys): { readonly threshold: number; readonly keys: number } => ({
    threshold,
    keys: keys.length,
  });
  const state = await loadRepository(imageDirectory(workspace));
  for (const repository of ["image", "director"] as const) {
    const { content } = await loadRoot(rootDirectoryOf(workspace, repository));
    for (const role of rootRoles) {
      const expiresMs = role === "root" ? content.expiresMs : repository === "image" ? state.expiries[role] : undefined;
      add(content.roles[role].keys, { repository, role, expiresMs, ...describe(content.roles[role]) });
    }
  }
  for (const publisher of listPublishers(state)) {
    const { name: role, expiresMs } = publisher;
    add(publisher.keys, { repository: "image", role, expiresMs, ...describe(publisher) });
  }
  const operators = Object.keys((await loadOperators(workspace)).keys);
  for (const keyId of operators)
    held.set(keyId, [
      ...(held.get(keyId) ?? []),
      { repository: "operators", role: "operator", threshold: 1, keys: operators.length, expiresMs: undefined },
    ]);
  return held;
}

/** A file made before files said their public key is opened for it, when it can be. */
async function identify(workspace: Workspace, key: KeptKey): Promise<KeptKey> {
  if (key.publicKey !== undefined) return key;
  try {
    return { ...key, publicKey: await openKey(key.path, workspace.secrets) };
  } catch (error) {
    if (error instanceof OperatorError && error.code === "key-locked") return key;
    throw error;
  }
}
