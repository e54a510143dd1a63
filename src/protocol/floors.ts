// The document a gateway keeps for itself: below which version, counter or time nothing is accepted any more.
import * as v from "valibot";

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

export const floorSchema = v.strictObject({
  value: whole,
  /** Ids of the keys that could sign for it, and the root version that said so. */
  keys: v.array(v.string()),
  root: whole,
});
export type Floor = v.InferOutput<typeof floorSchema>;

/** Name, such as "image/timestamp" or "image/counter/boiler", to floor. */
export const floorsSchema = v.strictObject({ format: v.literal(1), floors: v.record(v.string(), floorSchema) });
