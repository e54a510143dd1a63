// A new key in a directory of keys, as a file or in a token, with its public half beside it for others to name.
import { join } from "node:path";
import { OperatorError } from "../error.ts";
import { isPresent, listNames, writeFileAtomic } from "../files.ts";
import { createKey } from "./key.ts";
import type { PublicKey } from "./key.ts";
import { checkKeyName } from "./keyring.ts";
import type { Secrets } from "./keyring.ts";
import { formatPublicKey, publicSuffix } from "./publicKeyFile.ts";
import { createTokenKey, tokenSuffix } from "./tokenKey.ts";
import type { TokenReference } from "./tokenKey.ts";

export interface NewKey {
  readonly name: string;
  readonly secrets: Secrets;
  /** In a token instead of a file. */
  readonly token?: TokenReference | undefined;
  /** Without a passphrase; development only. */
  readonly clear?: boolean;
}

export interface MadeKey extends PublicKey {
  readonly name: string;
  readonly path: string;
  /** The file to hand out. */
  readonly publicPath: string;
}

/** Refuses a name that is taken, and a key in the clear that nobody asked for. */
export async function makeKey(directory: string, { name, secrets, token, clear = false }: NewKey): Promise<MadeKey> {
  checkKeyName(name);
  for (const suffix of [".pem", tokenSuffix])
    if (await isPresent(join(directory, `${name}${suffix}`)))
      throw new OperatorError("key-exists", `There is a key "${name}" in ${directory} already. Choose another name.`);
  const path = join(directory, `${name}${token === undefined ? ".pem" : tokenSuffix}`);
  const made =
    token === undefined
      ? await makeFile(path, { name, secrets, clear })
      : await createTokenKey(path, token, secrets.pin);
  const publicPath = join(directory, `${name}${publicSuffix}`);
  await writeFileAtomic(publicPath, formatPublicKey(made));
  const { keyId, publicKey } = made;
  return { name, path, publicPath, keyId, publicKey };
}

/** The name after this one: timestamp-2 after timestamp, root-4 when there are root-1 to root-3. */
export async function nextKeyName(directory: string, name: string): Promise<string> {
  const base = name.replace(/-\d+$/, "");
  const taken = (await listNames(directory)).flatMap((file) => {
    const found = /^(.+?)(?:-(\d+))?\.(pem|pkcs11\.json|public\.json)$/.exec(file);
    return found?.[1] === base ? [Number(found[2] ?? 1)] : [];
  });
  return `${base}-${Math.max(1, ...taken) + 1}`;
}

async function makeFile(
  path: string,
  { name, secrets, clear }: { readonly name: string; readonly secrets: Secrets; readonly clear: boolean },
): Promise<PublicKey> {
  const passphrase = clear ? undefined : secrets.passphraseOf(name);
  if (!clear && (passphrase === undefined || passphrase === ""))
    throw new OperatorError(
      "key-locked",
      "The new key needs a passphrase: set OUTSTATION_PASSPHRASE or give --passphrase-file.",
    );
  return createKey(path, passphrase);
}
