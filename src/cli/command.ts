// The shape of every command, so that help, errors and exit codes are the same for all of them.
import type { ParseArgsOptionsConfig } from "node:util";
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { Secrets } from "../operator/keys/keyring.ts";
import type { Session } from "../operator/session.ts";
import type { Workspace } from "../operator/workspace.ts";

/** Commands of one noun: "outstation keys list". */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  /** What a newcomer has to know before any of them. */
  readonly help: string;
  /** Named by their verb alone. */
  readonly commands: readonly Command[];
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What follows the name: "<gateway> <deployment.json>". */
  readonly synopsis: string;
  /** What a newcomer has to know, with examples. */
  readonly help: string;
  readonly options: ParseArgsOptionsConfig;
  /** How many words must and may follow. */
  readonly words: { readonly min: number; readonly max: number };
  /** Resolves to the exit code; 0 when undefined. */
  run(context: CommandContext): Promise<ExitCode | void>;
}

/** 0 done · 1 failed · 2 wrong usage · 69 the broker or gateway is not there · 75 not known yet · 78 wrong configuration. */
export type ExitCode = 0 | 1 | 2 | 69 | 75 | 78;

export interface CommandContext {
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly clock: Clock;
  readonly random: Random;
  /** Passphrase of the keys, from the environment or a file. */
  readonly passphrase: string | undefined;
  /** The same for keys that are no workspace's, and the PIN of tokens. */
  readonly secrets: Secrets;
  readonly directory: string;
  /** One result: the text for people, or the value as a line of JSON with --json. */
  print(text: string, value: unknown): void;
  /** Progress, on stderr, for people only. */
  progress(text: string): void;
  workspace(): Promise<Workspace>;
  session(workspace: Workspace): Promise<Session>;
  /** Aborts when the person interrupts. */
  readonly signal: AbortSignal;
}

export class UsageError extends Error {}
