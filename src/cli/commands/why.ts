// outstation why: the rule that stands in the way, what was seen, and what to do.
import { fetchStatus, type GatewayStatus } from "../../operator/gateways.ts";
import { rules, type RuleId } from "../../protocol/refusal.ts";
import type { ReportedDocument } from "../../protocol/reports.ts";
import { gatewayAt } from "../arguments.ts";
import type { Command } from "../command.ts";
import { indentRest } from "../printable.ts";

export const why: Command = {
  name: "why",
  summary: "why a gateway does not run what was asked for",
  synopsis: "<gateway>",
  help: `Explains the last refusal or rollback of a gateway, and every component that is not running: the rule, what was
seen, and what to do about it. The exit code is 0 when there is something to read, 69 when the gateway never reported.

  outstation why pump-7`,
  options: {},
  words: { min: 1, max: 1 },
  run: async (context) => {
    const gateway = gatewayAt(context, 0);
    const workspace = await context.workspace();
    await using session = await context.session(workspace);
    const status = await fetchStatus(session, gateway);
    context.print(explain(status), status.reported ?? null);
    return status.reported === undefined ? 69 : 0;
  },
};

function explain({ gateway, state, reported }: GatewayStatus): string {
  if (reported === undefined)
    return `${gateway} has reported nothing yet. Is it set up with this fleet's factory.json, and does outstationd run?`;
  const lines = [...explainDeployment(reported), ...explainComponents(reported)];
  if (state?.online !== true) lines.push(`${gateway} is offline; this is how it stood at ${reported.at}.`);
  return lines.map(indentRest).join("\n");
}

function explainDeployment({ gateway, deployment, desired, phase, refusal, reason }: ReportedDocument): string[] {
  const runs = deployment === 0 ? "nothing" : `deployment ${deployment}`;
  if (refusal !== undefined) {
    const { rule, seen, fix } = refusal;
    const meaning = rules[rule as RuleId] ?? "a rule this command does not know";
    const what = desired === deployment ? "an update" : `deployment ${desired}`;
    return [
      `${gateway} refused ${what}; it runs ${runs}.`,
      `  rule  ${rule}: ${meaning}`,
      `  seen  ${seen}`,
      `  fix   ${fix}`,
    ];
  }
  if (phase === "rolled-back")
    return [
      `${gateway} rolled deployment ${desired} back; it runs ${runs}.`,
      `  why   ${reason ?? "no reason was given"}`,
      "  fix   It is not tried again. Deploy another release, or other settings.",
    ];
  if (phase === "committed") return [`${gateway} runs ${runs}, as desired.`];
  if (phase === "idle") return [`Nothing was deployed to ${gateway} yet.`];
  return [`${gateway} is at work on deployment ${desired} (${phase}); it runs ${runs}.`];
}

function explainComponents({ components }: ReportedDocument): string[] {
  return Object.entries(components).flatMap(([name, { status, reason }]) =>
    reason === undefined ? [] : [`${name} is ${status}. Its last end: ${reason}`],
  );
}
