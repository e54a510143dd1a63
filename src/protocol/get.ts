// What a gateway may ask the fleet's server for when the broker does not hold it: chunks, metadata files, the time.
import * as v from "valibot";
import { limits } from "../base/limits.ts";

const chunk = v.pipe(v.number(), v.integer(), v.minValue(0));

/**
 * Published at `out/get/<request>`. Answered at `in/got/<request>/<part>`, not retained: chunk n of a blob at part n, a
 * file or the time at part 0; an empty message at part "none" when the server does not have it.
 */
export const getSchema = v.variant("want", [
  v.strictObject({
    want: v.literal("blob"),
    sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "expected a sha-256 in hex")),
    chunks: v.pipe(v.array(chunk), v.minLength(1), v.maxLength(limits.get.chunks)),
  }),
  v.strictObject({
    want: v.literal("file"),
    repository: v.picklist(["director", "image"]),
    /** As in its topic: "3.root.json", "timestamp.json". */
    file: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/, "expected a file name")),
  }),
  v.strictObject({
    want: v.literal("time"),
    /** Never used before by this gateway, so that an old answer is not taken for a new one. */
    nonce: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{16,64}$/, "expected 16 to 64 letters, digits, '-' or '_'")),
  }),
]);
export type GetRequest = v.InferOutput<typeof getSchema>;
