// Sorts the ways a call into a component can end: an answer, its own error, an exit, or a dead instance.
import { limits } from "../../base/limits.ts";
import type { CallOutcome } from "../messages.ts";

/** What came out of the export: a value, or something thrown. */
export type Ended = { readonly value: unknown } | { readonly thrown: unknown };

export function describeOutcome(ended: Ended): CallOutcome {
  if ("value" in ended) return describeValue(ended.value);
  const { thrown } = ended;
  if (isExit(thrown)) return { kind: "exited", code: thrown.code };
  // jco throws the `err` of a result as the bare value; everything that is an Error is the end of the instance.
  if (!(thrown instanceof Error)) return { kind: "error", message: clip(textOf(thrown)) };
  return { kind: "trap", message: clip(thrown.message), stack: clip(thrown.stack ?? "") };
}

function describeValue(value: unknown): CallOutcome {
  if (value === undefined) return { kind: "ok" };
  const text = textOf(value);
  if (Buffer.byteLength(text) > limits.command.answerBytes) return { kind: "error", message: "the answer is too long" };
  return { kind: "ok", value: text };
}

/** wasi:cli/exit throws this in the shim. */
function isExit(thrown: unknown): thrown is { readonly code: number } {
  return typeof thrown === "object" && thrown !== null && "exitError" in thrown && thrown.exitError === true;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

function clip(text: string): string {
  return text.slice(0, limits.component.logLineBytes);
}
