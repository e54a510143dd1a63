// Signing keys of the operator: made here, kept in private files, and never leaving the machine.
import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { sha256Hex } from "../../base/hash.ts";
import { OperatorError } from "../error.ts";
import { isPresent, privateMode, readPrivateText, writeFileAtomic } from "../files.ts";
import { formatKey, parseKey } from "./keyFile.ts";

export interface SigningKey {
  /** TUF 4.2: sha-256 of the canonical JSON of the public key object. */
  readonly keyId: string;
  /** The 32 bytes of the public key. */
  readonly publicKey: Uint8Array;
  /** For signers that take Node's own key object, such as command tokens. */
  readonly privateKey: KeyObject;
  sign(bytes: Uint8Array): Uint8Array;
}

/** Makes an ed25519 key at `path` with mode 0600; refuses to replace one. No passphrase means in the clear. */
export async function createKey(path: string, passphrase?: string): Promise<SigningKey> {
  if (await isPresent(path))
    throw new OperatorError("key-exists", `There is a key at ${path} already. Remove it first if it is not needed.`);
  const { privateKey } = generateKeyPairSync("ed25519");
  await writeFileAtomic(path, formatKey(privateKey, passphrase), privateMode);
  return createSigningKey(privateKey);
}

/** Reads a key; refuses one that others could read, and one that does not open with the passphrase. */
export async function loadKey(path: string, passphrase?: string): Promise<SigningKey> {
  return createSigningKey(parseKey(await readPrivateText(path, "private key"), passphrase, path));
}

/** The id under which metadata lists an ed25519 public key. */
export function keyIdOf(publicKey: Uint8Array): string {
  const hex = Buffer.from(publicKey).toString("hex");
  // Canonical JSON: keys in order, no space.
  const canonical = `{"keytype":"ed25519","keyval":{"public":"${hex}"},"scheme":"ed25519"}`;
  return sha256Hex(new TextEncoder().encode(canonical));
}

function createSigningKey(privateKey: KeyObject): SigningKey {
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  const publicKey = Uint8Array.from(Buffer.from(x ?? "", "base64url"));
  return { keyId: keyIdOf(publicKey), publicKey, privateKey, sign: (bytes) => sign(null, bytes, privateKey) };
}
