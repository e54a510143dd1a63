// A refusal as a value: which rule, what was seen, what to do about it. One table holds every rule there is.
import { limits } from "../base/limits.ts";
import { shorten } from "../base/words.ts";

/** Every reason for which a gateway says no, with what it protects. */
export const rules = {
  "trust.signature":
    "Metadata must carry enough signatures by the keys its role names (TUF 5.3.4, 5.4.2, 5.5.3, 5.6.3).",
  "trust.rollback": "Metadata never goes back to an older version (TUF 5.4.3, 5.5.5, 5.6.4).",
  "trust.expired": "Metadata past its expiry is not installed from; what runs keeps running (TUF 5.4.4, 5.5.6, 5.6.5).",
  "trust.mismatch":
    "Metadata and targets must have the length and hash that the role above them signed (TUF 5.5.2, 5.6.2).",
  "trust.malformed": "Metadata must be well-formed and complete.",
  "trust.missing": "Every file that signed metadata names must be obtainable.",
  "trust.disagreement": "Image repository and director must agree on name, length and hash (Uptane 5.4.4.6).",
  "trust.gateway": "A director document is for the one gateway it names (Uptane 5.4.4.6).",
  "trust.counter": "A release below the component's counter floor is never installed (Uptane 5.4.4.6).",
  "trust.time":
    "An answer about the time must be signed by the director, for this gateway and this question (Uptane 5.4.4.2).",
  "delivery.hash": "A chunk, blob or rebuilt component must have exactly the signed length and hash.",
  "delivery.missing": "Every chunk of a blob must be obtainable.",
  "delivery.disk": "There must be room on the disk for a component before it is fetched.",
  "delivery.memory": "There must be memory for a component before it is fetched.",
  "delivery.hardware": "A release that names hardware is fetched only by a gateway that is such.",
  "delivery.agent": "A release is fetched only by an agent that is new enough for it.",
  "delivery.world": "A release is fetched only when this agent offers every interface it imports.",
  "delivery.size": "A component must fit the size the gateway accepts.",
  "deployment.malformed": "A deployment must be well-formed, with no unknown keys.",
  "deployment.failed": "A deployment that failed here is not tried again; a new one is needed.",
  "admission.malformed": "A component must be a valid WebAssembly component.",
  "admission.import": "A component may import only what this agent offers.",
  "admission.grant": "Every port a component imports must be granted by its deployment.",
  "admission.port": "Every granted port must exist on the board, with the granted direction.",
  "admission.export": "A component must export wasi:cli/run, or handlers, and one for each of its triggers.",
  "admission.limits": "A component must be prepared within the time and memory the gateway gives to that.",
  "command.signature": "A command must be signed by a key the director lists.",
  "command.permission": "A key may call only what the director lists for it.",
  "command.expired": "A command is carried out only before it expires.",
  "command.repeated": "A command is carried out once.",
  "command.gateway": "A command is for the one gateway it names.",
  "command.malformed": "A command must be well-formed and within its size.",
  "command.component": "A command must name a component that runs here.",
  "command.busy": "Only so many commands run at once.",
} as const;

export type RuleId = keyof typeof rules;

export interface Refusal {
  readonly kind: "refused";
  readonly rule: RuleId;
  /** What was seen, in words, with the values that decided it. */
  readonly seen: string;
  /** What the person who reads it can do. */
  readonly fix: string;
}

/** What was seen often quotes what somebody else wrote, so it is cut at `limits.words.refusal`. */
export function refuse(rule: RuleId, seen: string, fix: string): Refusal {
  return { kind: "refused", rule, seen: shorten(seen, limits.words.refusal), fix: shorten(fix, limits.words.refusal) };
}

export function isRefusal(outcome: unknown): outcome is Refusal {
  return typeof outcome === "object" && outcome !== null && (outcome as { kind?: unknown }).kind === "refused";
}

/** One line for a log, a terminal or a status document. */
export function formatRefusal({ rule, seen, fix }: { rule: string; seen: string; fix: string }): string {
  return `${rule}: ${seen} Fix: ${fix}`;
}
