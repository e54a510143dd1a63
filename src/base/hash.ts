// The one hash of the product: content addresses, chunk and blob checks are sha-256 in lower-case hex.
import { createHash } from "node:crypto";

export function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
