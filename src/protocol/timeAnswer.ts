// The answer to "what time is it": signed by the director for one gateway and one question, so it cannot be replayed.
import * as v from "valibot";
import { limits } from "../base/limits.ts";

const hex = (length: number): v.GenericSchema<string> =>
  v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${length}}$`), `expected ${length} hex digits`));

/** Part 0 of the answer to a `GetRequest` that wants the time. */
export const timeAnswerSchema = v.strictObject({
  gateway: v.string(),
  nonce: v.string(),
  /** Milliseconds since 1970. */
  timeMs: v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(limits.time.latestMs)),
  /** Ed25519, by keys of the director's timestamp role. */
  signatures: v.pipe(v.array(v.strictObject({ keyid: hex(64), sig: hex(128) })), v.maxLength(8)),
});
export type TimeAnswer = v.InferOutput<typeof timeAnswerSchema>;

/** The bytes that are signed: one spelling, and nothing that any other document of ours could be taken for. */
export function encodeTime({ gateway, nonce, timeMs }: Omit<TimeAnswer, "signatures">): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(["outstation-time", gateway, nonce, timeMs]));
}
