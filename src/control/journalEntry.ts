// One command as the journal keeps it on disk, and what an unreadable file still says.
import { limits } from "../base/limits.ts";
import { resultSchema } from "../protocol/command.ts";
import type { CommandResult } from "../protocol/command.ts";
import { DocumentError, parseValue } from "../protocol/document.ts";

export interface JournalEntry {
  /** Until then its token could be accepted, so its id is remembered. */
  readonly untilMs: number;
  readonly published: boolean;
  readonly result?: CommandResult;
}

/** A file that a failing disk has spoilt counts as a command that was begun just now: it is never run again. */
export function parseEntry(bytes: Uint8Array, nowMs: number): JournalEntry {
  const entry = parseJson(bytes);
  const { untilMs, published, result } = entry;
  if (typeof untilMs !== "number" || typeof published !== "boolean") return spoilt(nowMs);
  if (result === undefined) return { untilMs, published };
  try {
    return { untilMs, published, result: parseValue(resultSchema, result, { what: "journal entry" }) };
  } catch (error) {
    if (error instanceof DocumentError) return { untilMs, published };
    throw error;
  }
}

function parseJson(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

function spoilt(nowMs: number): JournalEntry {
  return { untilMs: nowMs + limits.command.lifetimeMs + limits.command.skewMs, published: false };
}
