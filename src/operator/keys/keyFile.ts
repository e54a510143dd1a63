// How a private key lies on disk: PKCS#8 PEM, encrypted under a passphrase that scrypt has made expensive to guess.
import { createPrivateKey, randomBytes, scryptSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { OperatorError } from "../error.ts";

const saltPrefix = "outstation-salt: ";
const publicPrefix = "outstation-public: ";
const scryptCost = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };

/**
 * Without a passphrase the key is in the clear (development only). With one, a line above the PEM block holds the
 * salt; the PEM's own passphrase is the hex of scrypt(passphrase, salt), because PEM itself derives too cheaply. Another
 * line holds the public key, so that a key is found without opening it.
 */
export function formatKey(
  key: KeyObject,
  { publicKey, passphrase }: { readonly publicKey: Uint8Array; readonly passphrase: string | undefined },
): string {
  const head = `${publicPrefix}${Buffer.from(publicKey).toString("hex")}\n`;
  if (passphrase === undefined) return head + key.export({ type: "pkcs8", format: "pem" }).toString();
  const salt = randomBytes(16).toString("hex");
  const pem = key.export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase: stretch(passphrase, salt),
  });
  return `${saltPrefix}${salt}\n${head}${pem.toString()}`;
}

export function parseKey(text: string, passphrase: string | undefined, path: string): KeyObject {
  const encrypted = isEncrypted(text);
  if (encrypted && passphrase === undefined)
    throw new OperatorError(
      "key-locked",
      `The key ${path} is encrypted. Set OUTSTATION_PASSPHRASE or give --passphrase-file.`,
    );
  const salt = headOf(text, saltPrefix) ?? "";
  const secret = encrypted && passphrase !== undefined ? { passphrase: stretch(passphrase, salt) } : {};
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: text.slice(Math.max(0, text.indexOf("-----BEGIN"))), format: "pem", ...secret });
  } catch (cause) {
    const message = encrypted
      ? `The key ${path} does not open with this passphrase. Check the passphrase.`
      : `The key ${path} is not a PKCS#8 PEM file. Restore it from a backup.`;
    throw new OperatorError(encrypted ? "key-locked" : "key-unreadable", message, { cause });
  }
  if (key.asymmetricKeyType === "ed25519") return key;
  throw new OperatorError("key-unreadable", `The key ${path} is not an ed25519 key. Make one with outstation.`);
}

export function isEncrypted(text: string): boolean {
  return text.includes("ENCRYPTED PRIVATE KEY");
}

/** The public key as the file's own head says it; undefined in files made before the head had it. */
export function readPublicHead(text: string): Uint8Array | undefined {
  const hex = headOf(text, publicPrefix);
  return hex !== undefined && /^[0-9a-f]{64}$/.test(hex) ? Uint8Array.from(Buffer.from(hex, "hex")) : undefined;
}

/** The rest of a line above the PEM block. */
function headOf(text: string, prefix: string): string | undefined {
  const head = text.slice(0, Math.max(0, text.indexOf("-----BEGIN")));
  return head
    .split("\n")
    .find((line) => line.startsWith(prefix))
    ?.slice(prefix.length)
    .trim();
}

function stretch(passphrase: string, salt: string): string {
  return scryptSync(passphrase, Buffer.from(salt, "hex"), 32, scryptCost).toString("hex");
}
