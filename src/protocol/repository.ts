// The names and small documents of both repositories that operator and gateway must agree on.
import * as v from "valibot";
import { limits } from "../base/limits.ts";

/** The director target that holds the deployment document. */
export const deploymentTarget = "deployment.json";

/** The director target that lists which key may call what. */
export const operatorsTarget = "operators.json";

/**
 * The `custom` part of every director target: the one gateway it is for, and of a release the counter and the world
 * digest, which must be those of the image repository (Uptane 5.4.4.6).
 */
export const directorCustomSchema = v.strictObject({
  gateway: v.string(),
  counter: v.optional(v.number()),
  world: v.optional(v.string()),
});
export type DirectorCustom = v.InferOutput<typeof directorCustomSchema>;

/** Extra field of signed timestamp metadata: when it was signed, a lower bound of the time for boards without a clock. */
export const signedAtField = "outstation-signed-at";

/** The file name of a target's bytes in a consistent snapshot (TUF 5.7.3). */
export function targetFileName(path: string, sha256: string): string {
  return `${sha256}.${path}`;
}

/**
 * A path pattern of a publisher: plain characters and "*", at most twice a level. Whatever else a glob can say is not
 * understood the same everywhere, and can take a matcher for ever.
 */
export function isPathPattern(pattern: string): boolean {
  if (pattern.length > limits.trust.pathCharacters || !/^[A-Za-z0-9._*+/-]+$/.test(pattern)) return false;
  return pattern.split("/").every((level) => level.split("*").length <= 3);
}
