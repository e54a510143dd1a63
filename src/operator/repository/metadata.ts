// The four kinds of TUF metadata, signed and encoded as they are published.
import { Key, MetaFile, Metadata, Root, Signature, Snapshot, Targets, Timestamp } from "@tufjs/models";
import type { TargetFile } from "@tufjs/models";
import type { Delegations } from "@tufjs/models/dist/delegations.js";
import { Role } from "@tufjs/models/dist/role.js";
import { sha256Hex } from "../../base/hash.ts";
import { signedAtField } from "../../protocol/repository.ts";
import type { PublicKey, SigningKey } from "../keys/key.ts";

const specVersion = "1.0.31";

export const rootRoles = ["root", "targets", "snapshot", "timestamp"] as const;
export type RootRole = (typeof rootRoles)[number];

/** Who may sign for a role, and how many of them must. */
export interface RoleKeys {
  readonly keys: readonly PublicKey[];
  readonly threshold: number;
}

export interface RootContent {
  readonly version: number;
  readonly expiresMs: number;
  readonly roles: Readonly<Record<RootRole, RoleKeys>>;
}

/** TUF 4.3; `signers` are this root's own root keys, and those of the root before when they changed (TUF 5.3.4). */
export function signRoot(content: RootContent, signers: readonly SigningKey[]): Promise<Uint8Array> {
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

export interface TargetsContent {
  readonly version: number;
  readonly expiresMs: number;
  readonly targets: readonly TargetFile[];
  /** To publishers, in the order they are asked. */
  readonly delegations?: Delegations | undefined;
}

/** TUF 4.5; the top-level targets, or those of a publisher. */
export function signTargets(content: TargetsContent, signers: readonly SigningKey[]): Promise<Uint8Array> {
  const { version, expiresMs, delegations } = content;
  const targets = Object.fromEntries(content.targets.map((target) => [target.path, target]));
  const delegated = delegations === undefined ? {} : { delegations };
  const expires = formatTime(expiresMs);
  return encode(new Metadata(new Targets({ specVersion, version, expires, targets, ...delegated })), signers);
}

export interface Listed {
  readonly version: number;
  readonly bytes: Uint8Array;
}

export interface SnapshotContent {
  readonly version: number;
  readonly expiresMs: number;
  readonly targets: Listed | MetaFile;
  /** Publishers' metadata by file name, "acme.json"; what was listed once must stay listed (TUF 5.5.5). */
  readonly others?: Readonly<Record<string, Listed | MetaFile>>;
}

/** TUF 4.4; names the targets metadata, and that of publishers, with length and hash. */
export function signSnapshot(content: SnapshotContent, signer: SigningKey): Promise<Uint8Array> {
  const listed = Object.entries({ ...content.others, "targets.json": content.targets });
  const meta = Object.fromEntries(listed.map(([name, file]) => [name, createMetaFile(file)]));
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
export function signTimestamp(content: TimestampContent, signer: SigningKey): Promise<Uint8Array> {
  const timestamp = new Timestamp({
    specVersion,
    version: content.version,
    expires: formatTime(content.expiresMs),
    snapshotMeta: createMetaFile(content.snapshot),
    unrecognizedFields: { [signedAtField]: formatTime(content.signedAtMs) },
  });
  return encode(new Metadata(timestamp), [signer]);
}

/** The bytes that signatures of this metadata are over: its canonical JSON. */
export function payloadOf(metadata: Metadata<SignedMetadata>): Uint8Array {
  let payload: Uint8Array = new Uint8Array();
  // The model gives the payload to whoever signs, and to nobody else; nothing is kept of this signature.
  new Metadata(metadata.signed).sign((bytes) => {
    payload = bytes;
    return new Signature({ keyID: "none", sig: "" });
  });
  return payload;
}

export type SignedMetadata = Root | Targets | Snapshot | Timestamp;

/** The metadata as it is published, with the signatures it has and one more of each signer. */
export async function encode(
  metadata: Metadata<SignedMetadata>,
  signers: readonly SigningKey[] = [],
): Promise<Uint8Array> {
  const payload = payloadOf(metadata);
  for (const signer of signers) {
    const sig = Buffer.from(await signer.sign(payload)).toString("hex");
    metadata.signatures[signer.keyId] = new Signature({ keyID: signer.keyId, sig });
  }
  return new TextEncoder().encode(JSON.stringify(metadata.toJSON()));
}

export function createTufKey({ keyId, publicKey }: PublicKey): Key {
  const keyVal = { public: Buffer.from(publicKey).toString("hex") };
  return new Key({ keyID: keyId, keyType: "ed25519", scheme: "ed25519", keyVal });
}

function createRole({ keys, threshold }: RoleKeys): Role {
  return new Role({ keyIDs: keys.map((key) => key.keyId), threshold });
}

function createMetaFile(file: Listed | MetaFile): MetaFile {
  if (file instanceof MetaFile) return file;
  const { version, bytes } = file;
  return new MetaFile({ version, length: bytes.byteLength, hashes: { sha256: sha256Hex(bytes) } });
}

/** TUF 4.2.1: UTC, whole seconds. */
function formatTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
