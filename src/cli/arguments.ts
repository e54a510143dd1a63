// The words and options of one command: parsed strictly, and read with an error that says what was expected.
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { limits } from "../base/limits.ts";
import { parseDuration } from "../protocol/quantity.ts";
import { isName } from "../protocol/topics.ts";
import { UsageError, type CommandContext } from "./command.ts";

export type OptionValues = CommandContext["options"];

export interface Arguments {
  readonly values: OptionValues;
  readonly words: readonly string[];
}

/** Throws UsageError for an option that is not known, lacks its value, or has one it does not take. */
export function parseArguments(args: readonly string[], options: ParseArgsOptionsConfig): Arguments {
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) if (token.kind === "option") checkOption(token, options);
  return { values: values as OptionValues, words: positionals };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function checkOption({ name, rawName, value, inlineValue }: OptionToken, options: ParseArgsOptionsConfig): void {
  const option = Object.hasOwn(options, name) ? options[name] : undefined;
  if (option === undefined) throw new UsageError(`There is no option ${rawName}.`);
  if (option.type === "boolean" && value !== undefined) throw new UsageError(`${rawName} takes no value.`);
  if (option.type === "boolean") return;
  const isOption = inlineValue !== true && value?.startsWith("--") === true;
  if (value === undefined || value === "" || isOption) throw new UsageError(`${rawName} needs a value.`);
}

/** The word at a position that `words.min` already guarantees. */
export function wordAt(context: CommandContext, index: number): string {
  return context.words[index] ?? "";
}

/** A word that goes into topics, where "+" and "#" would mean more than one gateway. */
export function gatewayAt(context: CommandContext, index: number): string {
  const gateway = wordAt(context, index);
  if (!isName(gateway))
    throw new UsageError(`"${gateway}" is no gateway name: it has a-z, 0-9, ".", "_" and "-", at most 64 of them.`);
  return gateway;
}

export function textOption(context: CommandContext, name: string): string | undefined {
  const value = context.options[name];
  return typeof value === "string" ? value : undefined;
}

/** Milliseconds; undefined when the option is not given and has no default. */
export function durationOption(context: CommandContext, name: string, maxMs: number): number | undefined {
  const text = textOption(context, name);
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms === undefined) throw new UsageError(`--${name} "${text}" is no duration such as 30s, 5m or 1h.`);
  if (ms > maxMs) throw new UsageError(`--${name} ${text} is too long; at most ${maxMs / 3_600_000}h.`);
  return ms;
}

/** How long a command may wait for anything. */
export const longestWaitMs: number = limits.command.lifetimeMs;
