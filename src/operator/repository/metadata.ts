// The four kinds of TUF metadata, signed and encoded as they are published.
import { Key, MetaFile, Metadata, Root, Signature, Snapshot, Targets, Timestamp } from "@tufjs/models";
import type { TargetFile } from "@tufjs/models";
import { Role } from "@tufjs/models/dist/role.js";
import { sha256Hex } from "../../base/hash.ts";
import { signedAtField } from "../../protocol/repository.ts";
import type { SigningKey } from "../keys/key.ts";

const specVersion = "1.0.31";

export interface RoleSigners {
  readonly keys: readonly SigningKey[];
  readonly threshold: number;
}

export interface RootContent {
  readonly version: number;
  readonly expiresMs: number;
  readonly roles: Readonly<Record<"root" | "targets" | "snapshot" | "timestamp", RoleSigners>>;
}

/** TUF 4.3; `signers` are this root's own root keys, and those of the root before when they changed (TUF 5.3.4). */
export function signRoot(content: RootContent, signers: readonly SigningKey[]): Uint8Array {
  const roles = Object.entries(content.roles);
  const keys = roles.flatMap(([, role]) => role.keys.map((key) => [key.keyId, createTufKey(key)] as const));
  const root = new Root({
    specVersion,
    version: content.version,
    expires: formatTime(content.expiresMs),
    keys: Object.fromEntries(keys),
    roles: Object.fromEntries(roles.map(([name, role]) => [name, createRole(role)])),
    consistentSnapshot: true,
  });
  return encode(new Metadata(root), signers);
}

/** TUF 4.5. */
export function signTargets(
  content: { readonly version: number; readonly expiresMs: number; readonly targets: readonly TargetFile[] },
  signers: readonly SigningKey[],
): Uint8Array {
  const targets = Object.fromEntries(content.targets.map((target) => [target.path, target]));
  const expires = formatTime(content.expiresMs);
  return encode(new Metadata(new Targets({ specVersion, version: content.version, expires, targets })), signers);
}

export interface Listed {
  readonly version: number;
  readonly bytes: Uint8Array;
}

/** TUF 4.4; names the targets metadata with length and hash. */
export function signSnapshot(
  content: { readonly version: number; readonly expiresMs: number; readonly targets: Listed },
  signer: SigningKey,
): Uint8Array {
  const meta = { "targets.json": createMetaFile(content.targets) };
  const expires = formatTime(content.expiresMs);
  return encode(new Metadata(new Snapshot({ specVersion, version: content.version, expires, meta })), [signer]);
}

export interface TimestampContent {
  readonly version: number;
  readonly expiresMs: number;
  /** Told to gateways without a clock of their own. */
  readonly signedAtMs: number;
  readonly snapshot: Listed;
}

/** TUF 4.6; names the snapshot with length and hash. */
export function signTimestamp(content: TimestampContent, signer: SigningKey): Uint8Array {
  const timestamp = new Timestamp({
    specVersion,
    version: content.version,
    expires: formatTime(content.expiresMs),
    snapshotMeta: createMetaFile(content.snapshot),
    unrecognizedFields: { [signedAtField]: formatTime(content.signedAtMs) },
  });
  return encode(new Metadata(timestamp), [signer]);
}

function encode(metadata: Metadata<Root | Targets | Snapshot | Timestamp>, signers: readonly SigningKey[]): Uint8Array {
  for (const signer of signers)
    metadata.sign(
      (bytes) => new Signature({ keyID: signer.keyId, sig: Buffer.from(signer.sign(bytes)).toString("hex") }),
    );
  return new TextEncoder().encode(JSON.stringify(metadata.toJSON()));
}

function createTufKey(key: SigningKey): Key {
  const keyVal = { public: Buffer.from(key.publicKey).toString("hex") };
  return new Key({ keyID: key.keyId, keyType: "ed25519", scheme: "ed25519", keyVal });
}

function createRole({ keys, threshold }: RoleSigners): Role {
  return new Role({ keyIDs: keys.map((key) => key.keyId), threshold });
}

function createMetaFile({ version, bytes }: Listed): MetaFile {
  return new MetaFile({ version, length: bytes.byteLength, hashes: { sha256: sha256Hex(bytes) } });
}

/** TUF 4.2.1: UTC, whole seconds. */
function formatTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
