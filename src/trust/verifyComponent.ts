// The only door to being installable: a file that got exactly the signed length and hash of bytes, and no others.
import type { StagedFile } from "../base/disk.ts";
import { createSha256 } from "../base/hash.ts";
import { releaseBytes } from "../base/releaseBytes.ts";
import { refuse } from "../protocol/refusal.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { markVerified } from "../protocol/release.ts";
import type { VerifiedComponent, VerifiedTarget } from "../protocol/release.ts";

/**
 * TUF 5.7.2, Uptane 5.4.4.2 step 10: the bytes as rebuilt, however they travelled, checked on their way into the staged
 * file. `stage` is called here so that nobody else writes into it. A refused file is removed. Rejects with what `bytes`
 * or the disk rejected with; no more than the signed length and one piece is ever taken, and each piece is released.
 */
export async function verifyComponent(
  target: VerifiedTarget,
  bytes: AsyncIterable<Uint8Array>,
  stage: () => Promise<StagedFile>,
): Promise<VerifiedComponent | Refusal> {
  const staged = await stage();
  let refusal: Refusal | undefined;
  try {
    refusal = await fill(staged, target, bytes);
  } catch (thrown) {
    await staged[Symbol.asyncDispose]();
    throw thrown;
  }
  if (refusal === undefined) return markVerified(target, staged);
  await staged[Symbol.asyncDispose]();
  return refusal;
}

async function fill(
  staged: StagedFile,
  target: VerifiedTarget,
  bytes: AsyncIterable<Uint8Array>,
): Promise<Refusal | undefined> {
  const hash = createSha256();
  let length = 0;
  for await (const piece of bytes) {
    length += piece.byteLength;
    // TUF 5.7.2: never more than the signed length, whatever comes.
    if (length > target.lengthBytes) return refuseLength(target, "more");
    hash.update(piece);
    await staged.append(piece);
    releaseBytes(piece);
  }
  if (length !== target.lengthBytes) return refuseLength(target, `${length}`);
  const sha256 = hash.hex();
  if (sha256 === target.sha256) return undefined;
  return refuse("delivery.hash", `${target.path} hashes to ${sha256} instead of ${target.sha256}.`, fix);
}

const fix = "Fetch it again; if that does not help, publish the release again.";

function refuseLength({ path, lengthBytes }: VerifiedTarget, seen: string): Refusal {
  return refuse("delivery.hash", `${path} has ${seen} bytes instead of ${lengthBytes}.`, fix);
}
