// What a gateway is given before it first connects: where the broker is and the two roots of trust.
import * as v from "valibot";

/** "mqtt://host:1883", "mqtts://host", "ws://host/path", "wss://host/path". */
export function isBrokerUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^(mqtts?|wss?):$/.test(url.protocol) && url.hostname !== "";
}

export const brokerUrl = v.pipe(v.string(), v.check(isBrokerUrl, "expected a broker URL such as mqtt://host:1883"));

export const factorySchema = v.strictObject({
  /** URL of the broker. */
  broker: brokerUrl,
  /** First part of every topic. */
  root: v.pipe(v.string(), v.minLength(1)),
  /** Root metadata of the image repository, as JSON text. */
  imageRoot: v.pipe(v.string(), v.minLength(1)),
  /** Root metadata of the director, as JSON text. */
  directorRoot: v.pipe(v.string(), v.minLength(1)),
});

export type Factory = v.InferOutput<typeof factorySchema>;
