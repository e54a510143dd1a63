// Root metadata read back: which keys hold which role, and that no key is counted twice.
import { join } from "node:path";
import { Metadata, MetadataKind } from "@tufjs/models";
import type { Key, Root } from "@tufjs/models";
import { limits } from "../../base/limits.ts";
import { OperatorError } from "../error.ts";
import { readBytes } from "../files.ts";
import { keyIdOf } from "../keys/key.ts";
import type { PublicKey } from "../keys/key.ts";
import { createTufKey, rootRoles } from "./metadata.ts";
import type { RoleKeys, RootContent, RootRole } from "./metadata.ts";
import { listRoots, orInvalid, parseJson, rootFileName } from "./repository.ts";

export interface SignedRoot {
  readonly bytes: Uint8Array;
  readonly metadata: Metadata<Root>;
  readonly content: RootContent;
}

/** Throws OperatorError "proposal-invalid" or "root-invalid" for anything but a root whose roles can be met. */
export function parseRoot(bytes: Uint8Array, source: string): SignedRoot {
  if (bytes.length > limits.trust.rootMaxBytes)
    throw new OperatorError(
      "proposal-invalid",
      `${source} has ${bytes.length} bytes; a gateway reads ${limits.trust.rootMaxBytes}. Is it a root at all?`,
    );
  const metadata = orInvalid(source, "root metadata", () => Metadata.fromJSON(MetadataKind.Root, parseJson(bytes)));
  const content = orInvalid(source, "root metadata", () => readContent(metadata.signed));
  checkRoot(content, source);
  return { bytes, metadata, content };
}

/** The newest root of a repository. */
export async function loadRoot(directory: string): Promise<SignedRoot> {
  const version = (await listRoots(directory)).at(-1);
  if (version === undefined)
    throw new OperatorError("file-missing", `There is no root in ${directory}. Restore the workspace from a backup.`);
  return loadRootVersion(directory, version);
}

export async function loadRootVersion(directory: string, version: number): Promise<SignedRoot> {
  const path = join(directory, rootFileName(version));
  return parseRoot(await readBytes(path, "root"), path);
}

/** OperatorError "root-invalid" for a root under which a threshold could never be met, or one key would count twice. */
export function checkRoot({ version, roles }: RootContent, source: string): void {
  if (!Number.isSafeInteger(version) || version < 1)
    throw new OperatorError("root-invalid", `${source} has version ${version}. Versions are whole, from 1.`);
  for (const role of rootRoles) checkRole(roles[role], `${source}: ${role}`);
}

/** The same for one role, of a root or of a delegation. */
export function checkRole({ keys, threshold }: RoleKeys, what: string): void {
  if (!Number.isSafeInteger(threshold) || threshold < 1 || threshold > keys.length)
    throw new OperatorError(
      "root-invalid",
      `${what} would need ${threshold} of ${keys.length} keys, which can never sign. Lower the threshold or add keys.`,
    );
  const seen = new Map<string, string>();
  for (const { keyId, publicKey } of keys) {
    const hex = Buffer.from(publicKey).toString("hex");
    const twin = seen.get(hex);
    // TUF 4.2 lets ids differ for one key, and a verifier would count it twice.
    if (twin !== undefined)
      throw new OperatorError("root-invalid", `${what} lists one key twice, as ${twin} and as ${keyId}. List it once.`);
    if (keyId !== keyIdOf(publicKey))
      throw new OperatorError("root-invalid", `${what} lists a key as ${keyId} that is ${keyIdOf(publicKey)}.`);
    seen.set(hex, keyId);
  }
}

/** The role's keys out of a table of keys, as roots and delegations have it. Throws for a key that is not ed25519. */
export function readRole(
  role: { readonly keyIDs: readonly string[]; readonly threshold: number } | undefined,
  keys: Readonly<Record<string, Key>>,
): RoleKeys {
  if (role === undefined) throw new Error("a role is missing");
  return { keys: role.keyIDs.map((keyId) => readKey(keyId, keys[keyId])), threshold: role.threshold };
}

function readKey(keyId: string, key: Key | undefined): PublicKey {
  if (key === undefined) throw new Error(`key ${keyId} is named and not listed`);
  const hex = key.keyVal["public"] ?? "";
  if (key.keyType !== "ed25519" || key.scheme !== "ed25519" || !/^[0-9a-f]{64}$/.test(hex))
    throw new Error(`key ${keyId} is no ed25519 key`);
  return { keyId, publicKey: Uint8Array.from(Buffer.from(hex, "hex")) };
}

function readContent(root: Root): RootContent {
  const role = (name: RootRole): RoleKeys => readRole(root.roles[name], root.keys);
  const expiresMs = Date.parse(root.expires);
  if (!Number.isFinite(expiresMs)) throw new Error("it has no expiry");
  if (!root.consistentSnapshot) throw new Error("it has no consistent snapshots");
  return {
    version: root.version,
    expiresMs,
    roles: { root: role("root"), targets: role("targets"), snapshot: role("snapshot"), timestamp: role("timestamp") },
  };
}

/** Ids of those of a role's keys whose signature over the metadata verifies; each key counts once. */
export function listSigners({ keys }: RoleKeys, metadata: Parameters<Key["verifySignature"]>[0]): readonly string[] {
  return keys.map(createTufKey).flatMap((key) => {
    try {
      key.verifySignature(metadata);
      return [key.keyID];
    } catch {
      // No signature of this key, or none over this content: it does not count.
      return [];
    }
  });
}
