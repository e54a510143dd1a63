// outstation why: the rule that stands in the way, what was seen, and what to do.
import { fetchStatus } from "../../operator/gateways.ts";
import { rules, type RuleId } from "../../protocol/refusal.ts";
import type { ReportedDocument } from "../../protocol/reports.ts";
import { wordAt, type Command } from "../command.ts";

export const why: Command = {
  name: "why",
  summary: "why a gateway does not run what was asked for",
  synopsis: "<gateway>",
  help: `Explains the last refusal or rollback of a gateway, and every component that is not running: the rule, what was
seen, and what to do about it.

  outstation why pump-7`,
  options: {},
  words: { min: 1, max: 1 },
  run: async (context) => {
    const gateway = wordAt(context, 0);
    const workspace = await context.workspace();
    await using session = await context.session(workspace);
    const { reported } = await fetchStatus(session, gateway);
    context.print(
      reported === undefined ? `${gateway} has reported nothing yet.` : explain(reported),
      reported ?? null,
    );
    return reported === undefined ? 69 : 0;
  },
};

function explain(reported: ReportedDocument): string {
  const { gateway, deployment, desired, phase, refusal, reason, components } = reported;
  const lines: string[] = [];
  if (refusal !== undefined) {
    const rule = rules[refusal.rule as RuleId] ?? "a rule this command does not know";
    lines.push(`${gateway} refused deployment ${desired}.`, `rule  ${refusal.rule}: ${rule}`);
    lines.push(`seen  ${refusal.seen}`, `fix   ${refusal.fix}`);
  }
  if (reason !== undefined) lines.push(`${gateway} rolled deployment ${desired} back: ${reason}`);
  for (const [name, component] of Object.entries(components)) {
    if (component.reason !== undefined) lines.push(`${name} is ${component.status}: ${component.reason}`);
  }
  const runs = deployment === 0 ? "nothing" : `deployment ${deployment}`;
  if (lines.length === 0) lines.push(`${gateway} runs ${runs} as desired (${phase}).`);
  else lines.push(`It runs ${runs}.`);
  return lines.join("\n");
}
