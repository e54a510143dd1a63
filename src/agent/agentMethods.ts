// What an operator may ask the agent itself: the commands whose component is "agent".
import * as v from "valibot";
import { parseValue } from "../protocol/document.ts";
import type { Voices } from "./voice.ts";

/** No component can have this name. */
export const agentComponent = "agent";

const logsSchema = v.strictObject({
  component: v.string(),
  /** For how long to publish new lines; an hour at most. */
  forMs: v.pipe(v.number(), v.minValue(0), v.maxValue(3_600_000)),
});

/** Rejects with what is wrong; the words go back to the operator. */
export async function callAgent(method: string, params: unknown, voices: Voices): Promise<unknown> {
  if (method !== "logs") throw new Error(`The agent has no method "${method}"; it has: logs.`);
  const { component, forMs } = parseValue(logsSchema, params, { what: "parameters of logs" });
  voices.listen(component, forMs);
  return voices.tail(component);
}
