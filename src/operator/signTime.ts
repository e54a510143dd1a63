// Answers a gateway's question for the time with the director's key, for that gateway and that question alone.
import { encodeTime } from "../protocol/timeAnswer.ts";
import type { TimeAnswer } from "../protocol/timeAnswer.ts";
import type { SigningKey } from "./keys/key.ts";

export async function signTime(
  question: { readonly gateway: string; readonly nonce: string },
  timeMs: number,
  key: Pick<SigningKey, "keyId"> & { sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array> },
): Promise<Uint8Array> {
  const time = { ...question, timeMs: Math.floor(timeMs) };
  const sig = Buffer.from(await key.sign(encodeTime(time))).toString("hex");
  const answer: TimeAnswer = { ...time, signatures: [{ keyid: key.keyId, sig }] };
  return new TextEncoder().encode(JSON.stringify(answer));
}
