// A public key as a file to hand to others: the TUF key object, which says nothing that must be kept secret.
import { basename, join } from "node:path";
import * as v from "valibot";
import { DocumentError, parseDocument } from "../../protocol/document.ts";
import { OperatorError } from "../error.ts";
import { listNames, readText } from "../files.ts";
import { createPublicHalf } from "./key.ts";
import type { PublicKey } from "./key.ts";
import { describeKeyFile } from "./keyring.ts";
import { tokenSuffix } from "./tokenKey.ts";

export const publicSuffix = ".public.json";

const schema = v.strictObject({
  keytype: v.literal("ed25519"),
  scheme: v.literal("ed25519"),
  keyval: v.strictObject({ public: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "expected 64 hex digits")) }),
});

export function formatPublicKey({ publicKey }: PublicKey): string {
  const keyval = { public: Buffer.from(publicKey).toString("hex") };
  return `${JSON.stringify({ keytype: "ed25519", scheme: "ed25519", keyval }, undefined, 2)}\n`;
}

/** Key id to name, of every public key in a directory: keys that are kept elsewhere have their names from here. */
export async function listPublicNames(directory: string): Promise<ReadonlyMap<string, string>> {
  const files = (await listNames(directory)).filter((name) => name.endsWith(publicSuffix));
  const read = async (file: string): Promise<readonly [string, string]> => {
    const { keyId } = await readPublicKey(join(directory, file));
    return [keyId, basename(file, publicSuffix)];
  };
  return new Map(await Promise.all(files.map(read)));
}

/** The public half out of a public key file, a reference to a token, or a private key file, which stays closed. */
export async function readPublicKey(path: string): Promise<PublicKey> {
  if (path.endsWith(".pem") || path.endsWith(tokenSuffix)) {
    const { publicKey } = await describeKeyFile(path);
    if (publicKey !== undefined) return publicKey;
    throw new OperatorError(
      "key-unreadable",
      `${path} does not say its public key. Run: outstation keys encrypt on it.`,
    );
  }
  try {
    const { keyval } = parseDocument(schema, await readText(path, "public key"), { what: path, maxBytes: 4096 });
    return createPublicHalf(Uint8Array.from(Buffer.from(keyval.public, "hex")));
  } catch (cause) {
    if (!(cause instanceof DocumentError)) throw cause;
    const message = `${cause.message} It is made with: outstation keys create <name>`;
    throw new OperatorError("key-unreadable", message, { cause });
  }
}
