// Asks the fleet's server as a gateway does, and keeps what it answers as it came.
import type { Session } from "../../src/operator/session.ts";

export type Part = readonly [string, Buffer];

/** Asks as a gateway, and gives the parts of the answer, sorted by their name. */
export function createAsker({
  link,
  topics,
}: Session): (gateway: string, request: object, parts?: number) => Promise<Part[]> {
  let asked = 0;
  return async (gateway, request, parts = 1) => {
    const id = `request-${++asked}`;
    const got: Part[] = [];
    const whole = Promise.withResolvers<void>();
    const own = topics.gateway(gateway);
    const stop = await link.subscribe(own.gots(id), (topic, payload) => {
      got.push([topic.split("/").at(-1) ?? "", Buffer.from(payload)]);
      if (got.length === parts) whole.resolve();
    });
    await link.publish({ topic: own.get(id), payload: JSON.stringify(request) });
    await whole.promise;
    await stop();
    return got.sort(([a], [b]) => (a < b ? -1 : 1));
  };
}
