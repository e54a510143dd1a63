// Why this gateway does not run what was asked, in words, from what is on its own disk.
import { type RuleId, rules } from "../protocol/refusal.ts";
import type { ReportedDocument } from "../protocol/reports.ts";
import type { FailedDeployment } from "../store/deploymentStore.ts";
import type { KeptReport } from "./reportedFile.ts";

export interface Standing extends KeptReport {
  /** Oldest first. */
  readonly failed: readonly FailedDeployment[];
}

/** One line an entry; what belongs to the line above stands further in. */
export function explainStanding({ reported, trouble, failed }: Standing): string {
  const { gateway, deployment, desired, phase, at } = reported;
  const runs = deployment === 0 ? "nothing" : `deployment ${deployment}`;
  const works = desired === deployment ? "" : `, and deployment ${desired} is ${phase}`;
  const lines = [
    `${gateway} runs ${runs}${works}, as of ${at}.`,
    ...(trouble === undefined ? [] : explainTrouble(trouble)),
    ...failed.map(
      ({ version, reason, at }) => `deployment ${version} failed here, at ${at}, and is not tried again: ${reason}`,
    ),
    ...explainComponents(reported),
  ];
  if (lines.length === 1) lines.push("Nothing stands in the way of anything.");
  return lines.map((line) => line.replaceAll(/\r?\n/g, "\n    ")).join("\n");
}

function explainTrouble({ desired, phase, refusal, reason, at }: ReportedDocument): string[] {
  if (phase === "rolled-back" || refusal === undefined)
    return [
      `deployment ${desired} was rolled back, at ${at}.`,
      `  why   ${reason ?? "no reason was given"}`,
      "  fix   It is not tried again. Deploy another release, or other settings.",
    ];
  const { rule, seen, fix } = refusal;
  const meaning = rules[rule as RuleId] ?? "a rule this version does not know";
  return [
    `${desired === 0 ? "what is published" : `deployment ${desired}`} was refused, at ${at}.`,
    `  rule  ${rule}: ${meaning}`,
    `  seen  ${seen}`,
    `  fix   ${fix}`,
  ];
}

function explainComponents({ components }: ReportedDocument): string[] {
  return Object.entries(components).flatMap(([name, { release, status, restarts, reason }]) => {
    if (status === "running" && reason === undefined) return [];
    const what = `${name}${release === "" ? "" : ` (${release})`} is ${status}, after ${restarts} restarts.`;
    return reason === undefined ? [what] : [what, `  last end  ${reason}`];
  });
}
