// The command line `outstation`: parses, calls the operator's functions, prints; thin on purpose.
import { resolve } from "node:path";
import { systemClock } from "../base/clock.ts";
import { systemRandom } from "../base/random.ts";
import { openSession } from "../operator/session.ts";
import { openWorkspace } from "../operator/workspace.ts";
import { parseArguments, type OptionValues } from "./arguments.ts";
import { UsageError, type Command, type CommandContext, type CommandGroup, type ExitCode } from "./command.ts";
import { command } from "./commands/command.ts";
import { deploy } from "./commands/deploy.ts";
import { init } from "./commands/init.ts";
import { keys } from "./commands/keys.ts";
import { logs } from "./commands/logs.ts";
import { publisher } from "./commands/publisher.ts";
import { release } from "./commands/release.ts";
import { root } from "./commands/root.ts";
import { serve } from "./commands/serve.ts";
import { status } from "./commands/status.ts";
import { targets } from "./commands/targets.ts";
import { watch } from "./commands/watch.ts";
import { why } from "./commands/why.ts";
import { describeFailure, exitCodeOf } from "./exitCode.ts";
import { describeAll, describeCommand, describeGroup } from "./help.ts";
import { readInput } from "./input.ts";
import { printable } from "./printable.ts";
import { agentVersion } from "../protocol/version.ts";

const groups: readonly CommandGroup[] = [keys, root, targets, publisher];
const commands: readonly Command[] = [init, release, deploy, status, watch, command, why, logs, serve];

const commonOptions = {
  dir: { type: "string", default: "." },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  "passphrase-file": { type: "string" },
  "pin-file": { type: "string" },
} as const;

const write = (stream: NodeJS.WriteStream, text: string): void => void stream.write(`${printable(text)}\n`);

// Whoever reads our output has seen enough: `outstation watch pump-7 | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (name === "--version") return tell(agentVersion);
  if (name === undefined || name === "--help" || name === "-h" || name === "help")
    return tell(describeAll([...commands, ...groups]));
  const group = groups.find((entry) => entry.name === name);
  if (group !== undefined) return runGroup(group, rest);
  const found = commands.find((entry) => entry.name === name);
  if (found === undefined) {
    write(process.stderr, `outstation: there is no command "${name}".\nSee: outstation --help`);
    return 2;
  }
  return runOrTell(found, rest);
}

/** "outstation keys" alone is a question, and answered as one. */
async function runGroup(group: CommandGroup, args: readonly string[]): Promise<ExitCode> {
  const [verb, ...rest] = args;
  if (verb === "--help" || verb === "-h" || verb === "help") return tell(describeGroup(group));
  const found = group.commands.find((entry) => entry.name === verb);
  if (found !== undefined) return runOrTell({ ...found, name: `${group.name} ${found.name}` }, rest);
  const wrong = verb === undefined ? "what about them?" : `there is no "${verb}".`;
  write(process.stderr, `outstation ${group.name}: ${wrong}\nSee: outstation ${group.name} --help`);
  return 2;
}

async function runOrTell(found: Command, args: readonly string[]): Promise<ExitCode> {
  try {
    return await runCommand(found, args);
  } catch (error) {
    write(process.stderr, describeFailure(error, found.name));
    return exitCodeOf(error);
  }
}

function tell(text: string): ExitCode {
  write(process.stdout, text);
  return 0;
}

async function runCommand(found: Command, args: readonly string[]): Promise<ExitCode> {
  const { values, words } = parseArguments(args, { ...commonOptions, ...found.options });
  if (values["help"] === true) return tell(describeCommand(found));
  const { min, max } = found.words;
  if (words.length < min || words.length > max) throw new UsageError(`It takes: ${found.synopsis}`);
  const context = await createContext(values, words);
  return (await found.run(context)) ?? 0;
}

async function createContext(options: OptionValues, words: readonly string[]): Promise<CommandContext> {
  const directory = resolve(String(options["dir"]));
  const passphrase = await readSecret(options, "passphrase");
  const pin = await readSecret(options, "pin");
  const secret = { ...(passphrase === undefined ? {} : { passphrase }), ...(pin === undefined ? {} : { pin }) };
  const interrupted = new AbortController();
  const { signal } = interrupted;
  process.once("SIGINT", () => interrupted.abort());
  process.once("SIGTERM", () => interrupted.abort());
  const { OUTSTATION_USERNAME: username, OUTSTATION_PASSWORD: password } = process.env;
  const login = { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
  return {
    words,
    options,
    clock: systemClock,
    random: systemRandom,
    passphrase,
    secrets: { passphraseOf: (name) => passphraseOf(name) ?? passphrase, pin },
    directory,
    print: (text, value) => write(process.stdout, options["json"] === true ? JSON.stringify(value) : text),
    progress: (text) => void (options["json"] === true || write(process.stderr, text)),
    workspace: () => openWorkspace(directory, { clock: systemClock, passphraseOf, ...secret }),
    session: ({ settings }) => openSession(settings, { clock: systemClock, random: systemRandom, ...login, signal }),
    signal,
  };
}

/** From the file that an option names, else from the environment. */
async function readSecret(options: OptionValues, name: "passphrase" | "pin"): Promise<string | undefined> {
  const file = options[`${name}-file`];
  if (typeof file !== "string") return process.env[`OUTSTATION_${name.toUpperCase()}`];
  return new TextDecoder().decode(await readInput(file, `${name} file`)).trimEnd();
}

/** Of a key that has one of its own. */
function passphraseOf(name: string): string | undefined {
  return process.env[`OUTSTATION_PASSPHRASE_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`];
}
