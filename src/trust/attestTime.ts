// The time as the director attests it: believed only when signed for this gateway and this question, and never back.
import { createPublicKey, verify } from "node:crypto";
import type { Disk } from "../base/disk.ts";
import { limits } from "../base/limits.ts";
import { DocumentError, parseDocument } from "../protocol/document.ts";
import { isRefusal, refuse } from "../protocol/refusal.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { encodeTime, timeAnswerSchema } from "../protocol/timeAnswer.ts";
import type { TimeAnswer } from "../protocol/timeAnswer.ts";
import { floorOf, loadFloors, raiseFloor, saveFloors } from "./floors.ts";
import { loadRoot } from "./metadataCache.ts";
import type { CacheLocation } from "./metadataCache.ts";
import { attestedFloor } from "./refreshRepository.ts";
import { authorityOf } from "./tuf/metadata.ts";
import type { TrustedRoot } from "./tuf/metadata.ts";

/** Where the floors are, and the director's root. */
export interface TimePlace<DiskUse = Disk> {
  readonly disk: DiskUse;
  readonly directory: string;
  readonly director: Pick<CacheLocation, "directory" | "factoryRoot" | "log"> & { readonly disk: DiskUse };
}

export interface TimeQuestion {
  readonly gateway: string;
  readonly nonce: string;
}

/**
 * Uptane 5.4.4.2 step 1: the attested time in milliseconds, made a floor that outlives a power cut; or a Refusal. Not
 * at the same time as a refresh of the same directory.
 */
export async function attestTime(
  { disk, directory, director }: TimePlace,
  question: TimeQuestion,
  answer: Uint8Array,
): Promise<number | Refusal> {
  const { root } = await loadRoot(director);
  const timeMs = verifyTime(answer, question, root);
  if (isRefusal(timeMs)) return timeMs;
  const authority = authorityOf(root, "timestamp");
  const floors = await loadFloors(disk, directory);
  const floor = floorOf(floors, attestedFloor("director"), authority);
  if (timeMs < floor) return refuseTime(`${describeTime(timeMs)} was attested after ${describeTime(floor)}.`);
  await saveFloors(disk, directory, raiseFloor(floors, attestedFloor("director"), { authority, value: timeMs }));
  return timeMs;
}

/** The latest time that the director attested, in milliseconds; 0 when it never did. Only reads. */
export async function attestedTime({ disk, directory, director }: TimePlace<Pick<Disk, "readFile">>): Promise<number> {
  const { root } = await loadRoot(director);
  return floorOf(await loadFloors(disk, directory), attestedFloor("director"), authorityOf(root, "timestamp"));
}

function verifyTime(bytes: Uint8Array, question: TimeQuestion, root: TrustedRoot): number | Refusal {
  let answer: TimeAnswer;
  try {
    answer = parseDocument(timeAnswerSchema, bytes, { what: "time", maxBytes: limits.get.requestBytes });
  } catch (thrown) {
    if (thrown instanceof DocumentError) return refuseTime(thrown.message);
    throw thrown;
  }
  if (answer.gateway !== question.gateway || answer.nonce !== question.nonce)
    return refuseTime(`It answers ${answer.gateway}'s question ${answer.nonce}, not ours.`);
  const signers = new Set(
    answer.signatures.filter(({ keyid, sig }) => isSigned(answer, sig, publicKeyOf(root, keyid))).map((s) => s.keyid),
  );
  if (signers.size < root.thresholds.timestamp)
    return refuseTime(`${signers.size} of ${root.thresholds.timestamp} signatures are by the director's keys.`);
  // A lie beyond it could keep the gateway from ever seeing the root that takes the liar's key away.
  if (answer.timeMs > root.expiresMs)
    return refuseTime(`${describeTime(answer.timeMs)} is after the director's root expires.`);
  return answer.timeMs;
}

/** Undefined for a key that the director's root does not trust with timestamps. */
function publicKeyOf(root: TrustedRoot, keyId: string): string | undefined {
  return root.keys.timestamp.includes(keyId) ? root.publicKeys.get(keyId) : undefined;
}

function isSigned(answer: TimeAnswer, signature: string, publicKey: string | undefined): boolean {
  if (publicKey === undefined || !/^[0-9a-f]{64}$/.test(publicKey)) return false;
  const x = Buffer.from(publicKey, "hex").toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  return verify(null, encodeTime(answer), key, Buffer.from(signature, "hex"));
}

function refuseTime(seen: string): Refusal {
  return refuse("trust.time", seen, "Nothing, if it is rare; otherwise see who answers for the fleet's server.");
}

function describeTime(ms: number): string {
  return new Date(ms).toISOString();
}
