// What verified metadata says, in our words: roots, who vouches for what, and the targets; keys are checked for twins here.
import { Metadata, MetadataKind } from "@tufjs/models";
import type { Key, Root, Targets, Timestamp } from "@tufjs/models";
import { limits } from "../../base/limits.ts";
import { isPathPattern, signedAtField } from "../../protocol/repository.ts";
import { isName } from "../../protocol/topics.ts";

export const roles = ["root", "timestamp", "snapshot", "targets"] as const;
export type Role = (typeof roles)[number];

/** The keys that may sign for a role, and the version of the metadata that named them. */
export interface Authority {
  readonly version: number;
  readonly keys: readonly string[];
}

export interface TrustedRoot {
  readonly version: number;
  readonly expiresMs: number;
  readonly keys: Readonly<Record<Role, readonly string[]>>;
  readonly thresholds: Readonly<Record<Role, number>>;
  /** Key id to the 32 bytes of an ed25519 key, in hex. */
  readonly publicKeys: ReadonlyMap<string, string>;
}

export interface SignedTarget {
  readonly path: string;
  readonly lengthBytes: number;
  readonly sha256: string;
  readonly custom: unknown;
  /** The role whose metadata lists it: "targets", or a publisher's. */
  readonly role: string;
}

/** A publisher's metadata as verified (TUF 5.6.7). */
export interface DelegatedRole {
  readonly version: number;
  readonly authority: Authority;
}

/** What a repository says, after every check of TUF 5.3 to 5.6. */
export interface VerifiedMetadata {
  readonly root: TrustedRoot;
  readonly versions: Readonly<Record<Role, number>>;
  /** When the timestamp was signed, as its signer says; never after its own expiry. */
  readonly signedAtMs: number | undefined;
  readonly targets: ReadonlyMap<string, SignedTarget>;
  /** The publishers whose metadata was needed for the targets asked for. */
  readonly publishers: ReadonlyMap<string, DelegatedRole>;
  /** Target asked for to the publishers that are trusted with its path, whoever lists it. */
  readonly vouchers: ReadonlyMap<string, ReadonlyMap<string, Authority>>;
  readonly delegates: boolean;
}

export function authorityOf(root: TrustedRoot, role: Role): Authority {
  return { version: root.version, keys: root.keys[role] };
}

/** A root that parses, carries its own threshold of signatures and lists no key twice; undefined for anything else. */
export function readRoot(bytes: Uint8Array): TrustedRoot | undefined {
  try {
    const root = Metadata.fromJSON(MetadataKind.Root, JSON.parse(new TextDecoder().decode(bytes)));
    root.verifyDelegate("root", root);
    return findTwins(root.signed.keys) === undefined ? describeRoot(root.signed) : undefined;
  } catch {
    // Whatever is wrong with it, it is not a root to trust; the caller falls back to the factory's.
    return undefined;
  }
}

export function describeRoot(root: Root): TrustedRoot {
  const keysOf = (role: Role): readonly string[] => root.roles[role]?.keyIDs ?? [];
  const thresholdOf = (role: Role): number => root.roles[role]?.threshold ?? Number.POSITIVE_INFINITY;
  const describe = <T>(of: (role: Role) => T): Record<Role, T> => ({
    root: of("root"),
    timestamp: of("timestamp"),
    snapshot: of("snapshot"),
    targets: of("targets"),
  });
  return {
    version: root.version,
    expiresMs: Date.parse(root.expires),
    keys: describe(keysOf),
    thresholds: describe(thresholdOf),
    publicKeys: new Map(Object.entries(root.keys).map(([id, { keyVal }]) => [id, keyVal["public"] ?? ""])),
  };
}

/**
 * Two ids under which a document lists one and the same key, which would then count twice towards a threshold: the
 * specification lets ids be anything (TUF 4.2), and tuf-js does not compare the keys.
 */
export function findTwins(keys: Readonly<Record<string, Key>>): readonly [string, string] | undefined {
  const seen = new Map<string, string>();
  for (const [id, { keyVal }] of Object.entries(keys)) {
    const value = (keyVal["public"] ?? "").trim().toLowerCase();
    const twin = seen.get(value);
    if (twin !== undefined) return [twin, id];
    seen.set(value, id);
  }
  return undefined;
}

/**
 * What of the delegations of `role` we do not follow, in words. A publisher delegates to nobody: whatever it may list
 * there we would have to search and to remember.
 */
export function findOddDelegation({ delegations }: Targets, role: string): string | undefined {
  if (delegations === undefined) return undefined;
  if (role !== "targets") return `${role} delegates to others`;
  // TAP 15: their names are made from a prefix, and no path says what they are trusted with.
  if (delegations.succinctRoles !== undefined) return "it delegates to hash bins";
  const { publisherKeys, publisherPaths } = limits.trust;
  for (const { name, keyIDs, paths } of Object.values(delegations.roles ?? {})) {
    // It becomes a file name, here and in tuf-js.
    if (!isName(name) || !/^[a-z]/.test(name)) return `"${name}" is no name of a publisher`;
    if (keyIDs.length > publisherKeys) return `${name} has ${keyIDs.length} keys, over ${publisherKeys}`;
    if (paths === undefined || paths.length > publisherPaths || !paths.every(isPathPattern))
      return `${name} has paths that are no patterns such as boiler/*, or over ${publisherPaths}`;
  }
  return undefined;
}

/** TUF 5.6.7: who may list a target at this path, by the top-level targets; nobody after a terminating delegation. */
export function readVouchers({ delegations, version }: Targets, path: string): ReadonlyMap<string, Authority> {
  const trusted = [...(delegations?.rolesForTarget(path) ?? [])];
  const last = trusted.findIndex(({ terminating }) => terminating);
  const asked = last < 0 ? trusted : trusted.slice(0, last + 1);
  return new Map(asked.map(({ role }) => [role, { version, keys: delegations?.roles?.[role]?.keyIDs ?? [] }]));
}

/** The targets of one role's metadata; undefined when one of them has no sha-256, no whole length or an endless path. */
export function readTargets(targets: Targets, role: string): readonly SignedTarget[] | undefined {
  const listed: SignedTarget[] = [];
  for (const [path, target] of Object.entries(targets.targets)) {
    const sha256 = target.hashes["sha256"];
    // It becomes part of a file name and of a topic.
    if (sha256 === undefined || !/^[0-9a-f]{64}$/.test(sha256) || !Number.isSafeInteger(target.length))
      return undefined;
    if (path.length > limits.trust.pathCharacters) return undefined;
    listed.push({ path, lengthBytes: target.length, sha256, custom: target.unrecognizedFields["custom"], role });
  }
  return listed;
}

export function readSignedAt(timestamp: Timestamp): number | undefined {
  const text = timestamp.unrecognizedFields[signedAtField];
  const signedAtMs = typeof text === "string" ? Date.parse(text) : Number.NaN;
  return signedAtMs <= Date.parse(timestamp.expires) ? signedAtMs : undefined;
}
