// Why a gateway does not run what was asked for, in words: the same on the gateway itself and at the operator's.
import { type RuleId, rules } from "./refusal.ts";
import type { ReportedDocument } from "./reports.ts";

export interface Standing {
  readonly reported: ReportedDocument;
  /** The last refusal or rollback that nothing newer was committed over; the report itself when it is one. */
  readonly trouble?: ReportedDocument | undefined;
  /** Deployments that are not tried again, oldest first; only the gateway itself knows them. */
  readonly failed?: readonly { readonly version: number; readonly reason: string; readonly at: string }[];
}

/** One line an entry; what belongs to the line above stands further in. */
export function explainStanding({ reported, trouble, failed = [] }: Standing): string {
  const { gateway, deployment, desired, phase, at } = reported;
  const runs = deployment === 0 ? "nothing" : `deployment ${deployment}`;
  const works = desired === deployment ? "" : `, and deployment ${desired} is ${describePhase(reported)}`;
  const lines = [
    `${gateway} runs ${runs}${works}, as of ${at}.`,
    ...explainTrouble(trouble ?? reported),
    ...failed.map(
      ({ version, reason, at }) => `deployment ${version} failed here, at ${at}, and is not tried again: ${reason}`,
    ),
    ...explainComponents(reported),
  ];
  if (lines.length === 1) lines.push(phase === "idle" ? "Nothing was deployed to it yet." : describeRest(reported));
  // So that nobody's words can look like a line of ours.
  return lines.map((line) => line.replaceAll(/\r?\n/g, "\n    ")).join("\n");
}

/** The phase, and how far a download is when that was told. */
export function describePhase({ phase, progress }: Pick<ReportedDocument, "phase" | "progress">): string {
  if (phase !== "fetching" || progress === undefined) return phase;
  const { receivedBytes, totalBytes } = progress;
  const percent = totalBytes === 0 ? 100 : Math.floor((100 * receivedBytes) / totalBytes);
  return `${phase}, ${percent} % of ${Math.ceil(totalBytes / 1024)} KiB`;
}

function describeRest({ phase }: ReportedDocument): string {
  return phase === "committed" ? "Nothing stands in the way of anything." : "It is at work; nothing stands in its way.";
}

function explainTrouble({ deployment, desired, phase, refusal, reason, at }: ReportedDocument): string[] {
  if (phase === "rolled-back")
    return [
      `deployment ${desired} was rolled back, at ${at}.`,
      `  why   ${reason ?? "no reason was given"}`,
      "  fix   It is not tried again. Deploy another release, or other settings.",
    ];
  if (refusal === undefined) return [];
  const { rule, seen, fix } = refusal;
  const meaning = rules[rule as RuleId] ?? "a rule this version does not know";
  // Metadata that is not trusted says no version.
  const what = desired === deployment ? "what is published" : `deployment ${desired}`;
  return [`${what} was refused, at ${at}.`, `  rule  ${rule}: ${meaning}`, `  seen  ${seen}`, `  fix   ${fix}`];
}

function explainComponents({ components }: ReportedDocument): string[] {
  return Object.entries(components).flatMap(([name, { release, status, restarts, reason }]) => {
    if (status === "running" && reason === undefined) return [];
    const again = restarts === 0 ? "" : restarts === 1 ? ", after one restart" : `, after ${restarts} restarts`;
    const what = `${name}${release === "" ? "" : ` (${release})`} is ${status}${again}.`;
    return reason === undefined ? [what] : [what, `  last end  ${reason}`];
  });
}
