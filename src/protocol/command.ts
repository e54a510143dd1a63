// Commands and their answers: a signed token in, exactly one terminal result out.
import * as v from "valibot";
import { refusalSchema } from "./reports.ts";

/** Header `alg` of every command token (RFC 8037); no other is accepted. */
export const commandAlgorithm = "EdDSA";

/** Command ids are safe in a topic and as a file name. */
export function isCommandId(text: string): boolean {
  return /^[A-Za-z0-9_-]{8,64}$/.test(text);
}

/** Claims of a command token (JWT): `jti` unique id, `aud` gateway, `iat`/`exp` seconds since 1970. The header's `kid` names the key. */
export const commandSchema = v.object({
  jti: v.pipe(v.string(), v.check(isCommandId, "expected 8 to 64 letters, digits, '-' or '_'")),
  aud: v.string(),
  iat: v.number(),
  exp: v.number(),
  component: v.string(),
  method: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  params: v.optional(v.unknown()),
});
export type Command = v.InferOutput<typeof commandSchema>;

/** The director target `operators.json`: which key may call what. */
export const operatorsSchema = v.strictObject({
  keys: v.record(
    /** Key id: the `kid` of a command token. */
    v.string(),
    v.strictObject({
      name: v.string(),
      /** Ed25519 public key, base64url of its 32 bytes (the `x` of an OKP JWK). */
      publicKey: v.string(),
      /** "component/method", "component/*" or "*". */
      may: v.array(v.string()),
    }),
  ),
});
export type Operators = v.InferOutput<typeof operatorsSchema>;

/** Published once at `out/result/<jti>`. */
export const resultSchema = v.object({
  command: v.string(),
  status: v.picklist(["succeeded", "failed", "refused", "interrupted"]),
  /** The component's answer, JSON. */
  result: v.optional(v.unknown()),
  error: v.optional(v.string()),
  refusal: v.optional(refusalSchema),
  at: v.string(),
});
export type CommandResult = v.InferOutput<typeof resultSchema>;
