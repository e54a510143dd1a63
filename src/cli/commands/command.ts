// outstation command: calls a running component and prints its one answer.
import { formatRefusal } from "../../protocol/refusal.ts";
import { sendCommand } from "../../operator/sendCommand.ts";
import type { CommandResult } from "../../protocol/command.ts";
import { durationOption, gatewayAt, longestWaitMs, wordAt } from "../arguments.ts";
import { UsageError, type Command } from "../command.ts";
import { tellIfAway } from "../presence.ts";

export const command: Command = {
  name: "command",
  summary: "send a signed command to a component and print its answer",
  synopsis: "<gateway> <component> <method> [<params as JSON>]",
  help: `Signs a command with the operator key and waits for its answer. Every command ends in exactly one answer:
succeeded, failed (the component's own words), refused (a rule), or interrupted (the gateway stopped meanwhile).
A command that reaches the gateway after --expires (default 30s) is refused, never carried out late.

  outstation command pump-7 boiler relay '{"on": true}'`,
  options: { expires: { type: "string", default: "30s" } },
  words: { min: 3, max: 4 },
  run: async (context) => {
    const lifetimeMs = durationOption(context, "expires", longestWaitMs) ?? 0;
    if (lifetimeMs === 0) throw new UsageError("--expires must be longer than 0s.");
    const gateway = gatewayAt(context, 0);
    const [component, method] = [wordAt(context, 1), wordAt(context, 2)];
    const params = parseParams(context.words[3]);
    const workspace = await context.workspace();
    await using session = await context.session(workspace);
    const toSend = { gateway, component, method, params, lifetimeMs };
    const [result] = await Promise.all([
      sendCommand(workspace, session, toSend, context),
      tellIfAway(context, session, gateway, "a command waits until it expires"),
    ]);
    context.print(describeResult(result), result);
    return result.status === "succeeded" ? 0 : 1;
  },
};

/** The answer as JSON, or in words why there is none. */
export function describeResult({ status, result, error, refusal }: CommandResult): string {
  if (status === "succeeded") return JSON.stringify(result ?? null);
  if (refusal !== undefined) return `refused. ${formatRefusal(refusal)}`;
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
