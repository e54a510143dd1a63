// A key that lives in a PKCS#11 token: the workspace holds a reference to it, and the token signs.
import * as v from "valibot";
import { DocumentError, parseDocument } from "../../protocol/document.ts";
import { OperatorError } from "../error.ts";
import { isPresent, readText, writeFileAtomic } from "../files.ts";
import { withToken } from "./cryptoki.ts";
import type { TokenAddress } from "./cryptoki.ts";
import { createPublicHalf, verifySignature } from "./key.ts";
import type { PublicKey, SigningKey } from "./key.ts";
import { attributes, encodeUnsigned, findObjects, generateEd25519, readAttribute, signEddsa } from "./tokenSession.ts";
import type { Channel } from "./tokenSession.ts";

export const tokenSuffix = ".pkcs11.json";

const classes = { publicKey: 2, privateKey: 3 } as const;
const edwards = 0x40;

const referenceSchema = v.strictObject({
  /** Path of the vendor's PKCS#11 module. */
  module: v.pipe(v.string(), v.startsWith("/", "expected an absolute path")),
  token: v.pipe(v.string(), v.minLength(1), v.maxLength(32)),
  label: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  /** Hex of the 32 bytes: whatever else has that label signs nothing for us. */
  publicKey: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "expected 64 hex digits")),
});

export interface TokenReference {
  readonly module: string;
  readonly token: string;
  readonly label: string;
}

export function parseTokenKey(text: string, path: string): TokenReference & { readonly publicKey: Uint8Array } {
  try {
    const { publicKey, ...reference } = parseDocument(referenceSchema, text, { what: path, maxBytes: 4096 });
    return { ...reference, publicKey: Uint8Array.from(Buffer.from(publicKey, "hex")) };
  } catch (cause) {
    if (!(cause instanceof DocumentError)) throw cause;
    const message = `${cause.message} Make it again with: outstation keys create <name> --pkcs11 <module>,<token>,<label>`;
    throw new OperatorError("key-unreadable", message, { cause });
  }
}

/** Refers to the ed25519 key of that label, which is made in the token when there is none yet. */
export async function createTokenKey(
  path: string,
  reference: TokenReference,
  pin: string | undefined,
): Promise<PublicKey> {
  if (await isPresent(path))
    throw new OperatorError("key-exists", `There is a key at ${path} already. Remove it first if it is not needed.`);
  const publicKey = await withToken(addressOf(reference, pin), (channel) => {
    const found = findKeys(channel, reference.label, "publicKey");
    if (found.length > 1) throw ambiguous(reference);
    const key = found[0] ?? generateEd25519(channel, reference.label);
    return parsePoint(readAttribute(channel, key, attributes.ecPoint));
  });
  const document = { ...reference, publicKey: Buffer.from(publicKey).toString("hex") };
  await writeFileAtomic(path, `${JSON.stringify(document, undefined, 2)}\n`);
  return createPublicHalf(publicKey);
}

export async function loadTokenKey(path: string, pin: string | undefined): Promise<SigningKey> {
  const reference = parseTokenKey(await readText(path, "key"), path);
  const publicHalf = createPublicHalf(reference.publicKey);
  const sign = async (bytes: Uint8Array): Promise<Uint8Array> => {
    const signature = await withToken(addressOf(reference, pin), (channel) => {
      const [found, ...others] = findKeys(channel, reference.label, "privateKey");
      if (others.length > 0) throw ambiguous(reference);
      if (found === undefined)
        throw new OperatorError(
          "token-failed",
          `The token "${reference.token}" has no private key "${reference.label}". Is it the right token?`,
        );
      return signEddsa(channel, found, bytes);
    });
    if (verifySignature(publicHalf, bytes, signature)) return signature;
    throw new OperatorError(
      "token-failed",
      `The key "${reference.label}" in the token is not the one that ${path} names. Make the reference again.`,
    );
  };
  return { ...publicHalf, sign };
}

function addressOf({ module, token }: TokenReference, pin: string | undefined): TokenAddress {
  if (pin === undefined || pin === "")
    throw new OperatorError(
      "token-locked",
      `The token "${token}" needs its PIN: set OUTSTATION_PIN or give --pin-file.`,
    );
  return { module, token, pin };
}

function findKeys(channel: Channel, label: string, kind: keyof typeof classes): readonly bigint[] {
  return findObjects(channel, {
    [attributes.class]: encodeUnsigned(classes[kind]),
    [attributes.keyType]: encodeUnsigned(edwards),
    [attributes.label]: new TextEncoder().encode(label),
  });
}

/** A DER octet string around the 32 bytes; some tokens give the bytes alone. */
function parsePoint(point: Uint8Array): Uint8Array {
  if (point.length === 34 && point[0] === 4 && point[1] === 32) return point.slice(2);
  if (point.length === 32) return point;
  throw new OperatorError("token-failed", "The token's key has no ed25519 point. Make an ed25519 key in it.");
}

function ambiguous({ token, label }: TokenReference): OperatorError {
  return new OperatorError(
    "token-failed",
    `The token "${token}" has several keys "${label}". Give them labels of their own.`,
  );
}
