// Publishers: keys of their own for releases under path patterns that the image repository's targets keys have signed.
import type { Key, TargetFile } from "@tufjs/models";
import { Delegations } from "@tufjs/models/dist/delegations.js";
import { DelegatedRole } from "@tufjs/models/dist/role.js";
import { limits } from "../../base/limits.ts";
import { isPathPattern } from "../../protocol/repository.ts";
import { isName } from "../../protocol/topics.ts";
import { OperatorError } from "../error.ts";
import type { PublicKey } from "../keys/key.ts";
import { createTufKey, rootRoles } from "./metadata.ts";
import type { RoleKeys } from "./metadata.ts";
import type { RepositoryState } from "./repository.ts";
import { orInvalid } from "./repository.ts";
import { checkRole, listSigners, readRole } from "./root.ts";

export interface NewPublisher {
  readonly name: string;
  readonly paths: readonly string[];
  readonly keys: readonly PublicKey[];
  readonly threshold: number;
}

export interface Publisher extends NewPublisher {
  /** Of its metadata; 0 while it has signed nothing. */
  readonly version: number;
  readonly releases: number;
  readonly expiresMs: number | undefined;
  /** False when its keys have changed since: nothing of it can be installed until it signs again. */
  readonly isSigned: boolean;
}

const reserved: readonly string[] = rootRoles;

/** Delegations with one more publisher; one of that name is replaced where it stands. */
export function addPublisher(before: Delegations | undefined, publisher: NewPublisher): Delegations {
  const { name, paths, keys, threshold } = publisher;
  checkPublisher(publisher);
  const roles = before?.roles ?? {};
  for (const other of Object.values(roles)) {
    const shared = other.name === name ? undefined : paths.find((path) => other.paths?.includes(path));
    if (shared !== undefined)
      throw new OperatorError("publisher-invalid", `${shared} is ${other.name}'s already. One publisher has a path.`);
  }
  const keyIDs = keys.map(({ keyId }) => keyId);
  const role = new DelegatedRole({ name, keyIDs, threshold, terminating: true, paths: [...paths] });
  const table = Object.fromEntries(keys.map((key) => [key.keyId, createTufKey(key)]));
  const next = { ...roles, [name]: role };
  const { publishers } = limits.trust;
  // A gateway looks at no more of them on its way to one target (TUF 5.6.7).
  if (Object.keys(next).length > publishers)
    throw new OperatorError("publisher-invalid", `There may be ${publishers} publishers. Remove one first.`);
  return createDelegations(next, { ...before?.keys, ...table });
}

export function removePublisher(before: Delegations | undefined, name: string): Delegations {
  const { [name]: removed, ...roles } = before?.roles ?? {};
  if (removed === undefined) throw unknownPublisher(name);
  return createDelegations(roles, before?.keys ?? {});
}

export function listPublishers(state: RepositoryState): readonly Publisher[] {
  return Object.values(state.delegations?.roles ?? {}).map(({ name, paths = [] }) => {
    const role = readDelegation(state, name);
    const signed = state.publishers.get(name);
    const isSigned = signed !== undefined && listSigners(role, signed.metadata).length >= role.threshold;
    const { version = 0, expiresMs, targets = [] } = signed ?? {};
    return { ...role, name, paths, version, releases: targets.length, expiresMs, isSigned };
  });
}

/** Who signs for a publisher. OperatorError "publisher-invalid" when there is none of that name. */
export function readDelegation({ delegations }: RepositoryState, name: string): RoleKeys {
  const role = delegations?.roles?.[name];
  if (delegations === undefined || role === undefined) throw unknownPublisher(name);
  return orInvalid(`The delegation to ${name}`, "role", () => readRole(role, delegations.keys));
}

/** TUF 5.6.7: the first publisher whose paths match answers for a target, and nobody after it. */
export function checkPublisherPath({ delegations }: RepositoryState, name: string, path: string): void {
  if (delegations?.roles?.[name] === undefined) throw unknownPublisher(name);
  const first = Object.values(delegations.roles).find((role) => role.isDelegatedPath(path));
  if (first?.name === name) return;
  const owner = first === undefined ? "nobody's" : `${first.name}'s`;
  throw new OperatorError(
    "publisher-invalid",
    `${path} is ${owner}, not ${name}'s. Give ${name} a path that matches it: outstation publisher add ${name} --paths …`,
  );
}

/** What gateways find: the top-level targets first, then each path with the publisher that answers for it. */
export function listTargets(state: RepositoryState): readonly TargetFile[] {
  const listed = new Map(state.targets.map((target) => [target.path, target]));
  const roles = Object.values(state.delegations?.roles ?? {});
  for (const [name, { targets }] of state.publishers)
    for (const target of targets) {
      const isTheirs = roles.find((role) => role.isDelegatedPath(target.path))?.name === name;
      if (isTheirs && !listed.has(target.path)) listed.set(target.path, target);
    }
  return [...listed.values()];
}

/**
 * Delegations that somebody else wrote down, before they are signed. OperatorError "publisher-invalid" or "root-invalid"
 * for what a list of names, paths and key ids would not show: another key under a known id, and hashes in place of paths.
 */
export function checkDelegations(delegations: Delegations | undefined, source: string): void {
  if (delegations === undefined) return;
  const { roles = {}, succinctRoles, keys } = delegations;
  for (const delegated of Object.values(roles)) {
    const { name, paths = [], terminating } = delegated;
    const role = orInvalid(`The delegation to ${name} in ${source}`, "role", () => readRole(delegated, keys));
    checkPublisher({ name, paths, ...role });
    if (!terminating)
      throw new OperatorError("publisher-invalid", `In ${source} ${name} does not have the last word on its paths.`);
  }
  if (succinctRoles !== undefined)
    throw new OperatorError("publisher-invalid", `${source} delegates to hash bins, which no gateway takes.`);
}

function createDelegations(
  roles: Readonly<Record<string, DelegatedRole>>,
  keys: Readonly<Record<string, Key>>,
): Delegations {
  const used = new Set(Object.values(roles).flatMap(({ keyIDs }) => keyIDs));
  return new Delegations({
    roles: { ...roles },
    keys: Object.fromEntries(Object.entries(keys).filter(([keyId]) => used.has(keyId))),
  });
}

function checkPublisher({ name, paths, keys, threshold }: NewPublisher): void {
  if (!isName(name) || !/^[a-z]/.test(name) || reserved.includes(name))
    throw new OperatorError(
      "publisher-invalid",
      `"${name}" is no name of a publisher. Use a-z, 0-9, ".", "_" and "-", a letter first, and no role of TUF.`,
    );
  if (paths.length === 0 || new Set(paths).size < paths.length)
    throw new OperatorError("publisher-invalid", "A publisher has one or more paths, each once: --paths 'boiler/*'");
  const odd = paths.find((path) => !/^[a-z0-9*][a-z0-9._*-]*\/[A-Za-z0-9._*+-]+$/.test(path) || !isPathPattern(path));
  if (odd !== undefined)
    throw new OperatorError("publisher-invalid", `"${odd}" is no path pattern such as boiler/* or pump-*/*.`);
  const { publisherKeys, publisherPaths } = limits.trust;
  if (keys.length > publisherKeys || paths.length > publisherPaths)
    throw new OperatorError(
      "publisher-invalid",
      `A publisher has at most ${publisherKeys} keys and ${publisherPaths} paths; gateways take no more.`,
    );
  checkRole({ keys, threshold }, `Publisher ${name}`);
}

function unknownPublisher(name: string): OperatorError {
  return new OperatorError("publisher-invalid", `There is no publisher "${name}". See: outstation publisher list`);
}
