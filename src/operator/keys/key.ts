// Signing keys of the operator: the public half that metadata names, and a signer that keeps the private half to itself.
import { createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { sha256Hex } from "../../base/hash.ts";
import { OperatorError } from "../error.ts";
import { isPresent, privateMode, readPrivateText, writeFileAtomic } from "../files.ts";
import { formatKey, parseKey } from "./keyFile.ts";

export interface PublicKey {
  /** TUF 4.2: sha-256 of the canonical JSON of the public key object. */
  readonly keyId: string;
  /** The 32 bytes of the ed25519 public key. */
  readonly publicKey: Uint8Array;
}

/** Where the private half is does not matter to whoever signs: a file, or a token that never gives it away. */
export interface SigningKey extends PublicKey {
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

/** Makes an ed25519 key at `path` with mode 0600; refuses to replace one. No passphrase means in the clear. */
export async function createKey(path: string, passphrase?: string): Promise<SigningKey> {
  if (await isPresent(path))
    throw new OperatorError("key-exists", `There is a key at ${path} already. Remove it first if it is not needed.`);
  const { privateKey } = generateKeyPairSync("ed25519");
  await saveKey(path, privateKey, passphrase);
  return createSigningKey(privateKey);
}

/** Reads a key; refuses one that others could read, and one that does not open with the passphrase. */
export async function loadKey(path: string, passphrase?: string): Promise<SigningKey> {
  return createSigningKey(await readPrivateKey(path, passphrase));
}

/** Writes the same key again under another passphrase; the old file is replaced whole or not at all. */
export async function encryptKey(
  path: string,
  { passphrase, newPassphrase }: { readonly passphrase: string | undefined; readonly newPassphrase: string },
): Promise<void> {
  await saveKey(path, await readPrivateKey(path, passphrase), newPassphrase);
}

/** The id under which metadata lists an ed25519 public key. */
export function keyIdOf(publicKey: Uint8Array): string {
  const hex = Buffer.from(publicKey).toString("hex");
  // Canonical JSON: keys in order, no space.
  const canonical = `{"keytype":"ed25519","keyval":{"public":"${hex}"},"scheme":"ed25519"}`;
  return sha256Hex(new TextEncoder().encode(canonical));
}

export function createPublicHalf(publicKey: Uint8Array): PublicKey {
  return { keyId: keyIdOf(publicKey), publicKey };
}

/** Whether a signature is this key's, over these very bytes. */
export function verifySignature({ publicKey }: PublicKey, bytes: Uint8Array, signature: Uint8Array): boolean {
  const x = Buffer.from(publicKey).toString("base64url");
  return verify(null, bytes, createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" }), signature);
}

async function readPrivateKey(path: string, passphrase: string | undefined): Promise<KeyObject> {
  return parseKey(await readPrivateText(path, "private key"), passphrase, path);
}

async function saveKey(path: string, privateKey: KeyObject, passphrase: string | undefined): Promise<void> {
  const text = formatKey(privateKey, { publicKey: publicBytes(privateKey), passphrase });
  await writeFileAtomic(path, text, privateMode);
}

function createSigningKey(privateKey: KeyObject): SigningKey {
  const publicHalf = createPublicHalf(publicBytes(privateKey));
  return { ...publicHalf, sign: async (bytes) => sign(null, bytes, privateKey) };
}

function publicBytes(privateKey: KeyObject): Uint8Array {
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  return Uint8Array.from(Buffer.from(x ?? "", "base64url"));
}
