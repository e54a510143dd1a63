// What an operator may ask the agent itself: the commands whose component is "agent".
import * as v from "valibot";
import { limits } from "../base/limits.ts";
import { parseValue } from "../protocol/document.ts";
import type { LogDocument } from "../protocol/reports.ts";
import type { Voices } from "./voice.ts";

const logsSchema = v.strictObject({
  component: v.string(),
  /** For how long to publish new lines. */
  forMs: v.pipe(v.number(), v.minValue(0), v.maxValue(limits.logs.listenMaxMs)),
});

export interface AgentMethodsContext {
  readonly voices: Voices;
  /** Names of the components that are here, running or not. */
  readonly components: readonly string[];
}

/** Rejects with what is wrong; the words go back to the operator. */
export async function callAgent(
  method: string,
  params: unknown,
  { voices, components }: AgentMethodsContext,
): Promise<unknown> {
  if (method !== "logs") throw new Error(`The agent has no method "${method}"; it has: logs.`);
  const { component, forMs } = parseValue(logsSchema, params, { what: "parameters of logs" });
  const tail = voices.tail(component);
  if (!components.includes(component) && tail.length === 0)
    throw new Error(`There is no component "${component}" here; there are: ${components.join(", ") || "none"}.`);
  voices.listen(component, forMs);
  return selectFitting(tail);
}

/** The last lines that one answer has room for. */
function selectFitting(lines: readonly LogDocument[]): readonly LogDocument[] {
  let first = 0;
  while (Buffer.byteLength(JSON.stringify(lines.slice(first))) > limits.command.answerBytes) first += 1;
  return lines.slice(first);
}
