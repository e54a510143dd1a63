// The keys that are in a directory: found by name or by the id that metadata knows them by, opened only to sign.
import { basename, join } from "node:path";
import { isName } from "../../protocol/topics.ts";
import { OperatorError } from "../error.ts";
import { listNames, readPrivateText, readText } from "../files.ts";
import { createPublicHalf, loadKey } from "./key.ts";
import type { PublicKey, SigningKey } from "./key.ts";
import { isEncrypted, readPublicHead } from "./keyFile.ts";
import { loadTokenKey, parseTokenKey, tokenSuffix } from "./tokenKey.ts";

/** What opens keys; a key may have a passphrase of its own. */
export interface Secrets {
  readonly passphraseOf: (name: string) => string | undefined;
  readonly pin?: string | undefined;
}

export interface KeptKey {
  readonly name: string;
  readonly path: string;
  readonly place: "encrypted" | "clear" | "pkcs11";
  /** Undefined when the file does not say it without being opened. */
  readonly publicKey: PublicKey | undefined;
}

const fileSuffix = ".pem";

/** Every key in a directory, by name; a file of another kind is passed over. */
export async function listKeys(directory: string): Promise<readonly KeptKey[]> {
  const names = (await listNames(directory)).filter((name) => name.endsWith(fileSuffix) || name.endsWith(tokenSuffix));
  return Promise.all(names.map((name) => describeKeyFile(join(directory, name))));
}

/** One key file, without opening it. */
export async function describeKeyFile(path: string): Promise<KeptKey> {
  if (path.endsWith(tokenSuffix)) {
    const { publicKey } = parseTokenKey(await readText(path, "key"), path);
    return { name: basename(path, tokenSuffix), path, place: "pkcs11", publicKey: createPublicHalf(publicKey) };
  }
  const text = await readPrivateText(path, "private key");
  const head = readPublicHead(text);
  const publicKey = head === undefined ? undefined : createPublicHalf(head);
  return { name: basename(path, fileSuffix), path, place: isEncrypted(text) ? "encrypted" : "clear", publicKey };
}

/** Opens one key file. OperatorError "key-unreadable" when what it holds is not what its head says. */
export async function openKey(path: string, secrets: Secrets): Promise<SigningKey> {
  const { name, place, publicKey } = await describeKeyFile(path);
  if (place === "pkcs11") return loadTokenKey(path, secrets.pin);
  const key = await loadKey(path, secrets.passphraseOf(name));
  if (publicKey === undefined || publicKey.keyId === key.keyId) return key;
  throw new OperatorError(
    "key-unreadable",
    `${path} names another public key than it holds. Restore it from a backup.`,
  );
}

/** The key of that name; its file may be a PEM file or the reference to a token. */
export async function openKeyNamed(directory: string, name: string, secrets: Secrets): Promise<SigningKey> {
  return openKey(await keyFileOf(directory, name), secrets);
}

export async function keyFileOf(directory: string, name: string): Promise<string> {
  const names = await listNames(directory);
  return join(directory, names.includes(`${name}${tokenSuffix}`) ? `${name}${tokenSuffix}` : `${name}${fileSuffix}`);
}

/** The key with that id, opened; undefined when it is not in the directory. */
export async function findKey(directory: string, keyId: string, secrets: Secrets): Promise<SigningKey | undefined> {
  const kept = await listKeys(directory);
  const found = kept.find(({ publicKey }) => publicKey?.keyId === keyId);
  if (found !== undefined) return openKey(found.path, secrets);
  for (const { path, publicKey } of kept) {
    if (publicKey !== undefined) continue;
    const key = await openKey(path, secrets);
    if (key.keyId === keyId) return key;
  }
  return undefined;
}

/** Throws OperatorError "key-invalid" for a name that could not be a file of this directory. */
export function checkKeyName(name: string): void {
  if (isName(name)) return;
  throw new OperatorError("key-invalid", `"${name}" is no name of a key. Use a-z, 0-9, ".", "_" and "-".`);
}
