// What a gateway is given before it first connects: where the broker is and the two roots of trust.
import * as v from "valibot";

export const factorySchema = v.strictObject({
  /** URL of the broker. */
  broker: v.pipe(v.string(), v.minLength(1)),
  /** First part of every topic. */
  root: v.pipe(v.string(), v.minLength(1)),
  /** Root metadata of the image repository, as JSON text. */
  imageRoot: v.pipe(v.string(), v.minLength(1)),
  /** Root metadata of the director, as JSON text. */
  directorRoot: v.pipe(v.string(), v.minLength(1)),
});

export type Factory = v.InferOutput<typeof factorySchema>;
