// The one hash of the product: content addresses, chunk and blob checks are sha-256 in lower-case hex.
import { createHash } from "node:crypto";

/** The same over bytes that come in pieces. */
export interface Sha256 {
  update(bytes: Uint8Array): void;
  /** Once, at the end. */
  hex(): string;
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function createSha256(): Sha256 {
  const hash = createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
}
