// The only door to being installable: bytes with exactly the signed length and hash, and no others.
import { sha256Hex } from "../base/hash.ts";
import { refuse } from "../protocol/refusal.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { markVerified } from "../protocol/release.ts";
import type { VerifiedComponent, VerifiedTarget } from "../protocol/release.ts";

/** TUF 5.7.2, Uptane 5.4.4.2 step 10: the bytes as rebuilt, however they travelled. Keep them unchanged afterwards. */
export function verifyComponent(target: VerifiedTarget, bytes: Uint8Array): VerifiedComponent | Refusal {
  const fix = "Fetch it again; if that does not help, publish the release again.";
  if (bytes.byteLength !== target.lengthBytes) {
    const seen = `${target.path} has ${bytes.byteLength} bytes instead of ${target.lengthBytes}.`;
    return refuse("delivery.hash", seen, fix);
  }
  const sha256 = sha256Hex(bytes);
  if (sha256 !== target.sha256)
    return refuse("delivery.hash", `${target.path} hashes to ${sha256} instead of ${target.sha256}.`, fix);
  return markVerified(target, bytes);
}
