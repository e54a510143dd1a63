// outstation command: calls a running component and prints its one answer.
import { sendCommand } from "../../operator/sendCommand.ts";
import { parseDuration } from "../../protocol/quantity.ts";
import type { CommandResult } from "../../protocol/command.ts";
import { textOption, UsageError, wordAt, type Command } from "../command.ts";

export const command: Command = {
  name: "command",
  summary: "send a signed command to a component and print its answer",
  synopsis: "<gateway> <component> <method> [<params as JSON>]",
  help: `Signs a command with the operator key and waits for its answer. Every command ends in exactly one answer:
succeeded, failed (the component's own words), refused (a rule), or interrupted (the gateway stopped meanwhile). A command
that reaches the gateway after --expires is refused, never carried out late.

  outstation command pump-7 boiler relay '{"on": true}'`,
  options: { expires: { type: "string", default: "30s" } },
  words: { min: 3, max: 4 },
  run: async (context) => {
    const text = textOption(context, "expires") ?? "";
    const lifetimeMs = parseDuration(text);
    if (lifetimeMs === undefined) throw new UsageError(`--expires "${text}" is no duration such as 30s.`);
    const params = parseParams(context.words[3]);
    const workspace = await context.workspace();
    await using session = await context.session(workspace);
    const [gateway, component, method] = [0, 1, 2].map((index) => wordAt(context, index)) as [string, string, string];
    const result = await sendCommand(workspace, session, { gateway, component, method, params, lifetimeMs }, context);
    context.print(describeResult(result), result);
    return result.status === "succeeded" ? 0 : 1;
  },
};

function describeResult({ status, result, error, refusal }: CommandResult): string {
  if (status === "succeeded") return JSON.stringify(result ?? null);
  if (refusal !== undefined) return `refused. ${refusal.rule}: ${refusal.seen} Fix: ${refusal.fix}`;
  return `${status}: ${error ?? "no reason was given"}`;
}

function parseParams(text: string | undefined): unknown {
  if (text === undefined) return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`The parameters are not JSON: ${text}`);
  }
}
