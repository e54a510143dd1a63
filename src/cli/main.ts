// The command line `outstation`: parses, calls the operator's functions, prints; thin on purpose.
import { resolve } from "node:path";
import { systemClock } from "../base/clock.ts";
import { systemRandom } from "../base/random.ts";
import { openSession } from "../operator/session.ts";
import { openWorkspace } from "../operator/workspace.ts";
import { parseArguments, type OptionValues } from "./arguments.ts";
import { UsageError, type Command, type CommandContext, type ExitCode } from "./command.ts";
import { command } from "./commands/command.ts";
import { deploy } from "./commands/deploy.ts";
import { init } from "./commands/init.ts";
import { logs } from "./commands/logs.ts";
import { release } from "./commands/release.ts";
import { status } from "./commands/status.ts";
import { watch } from "./commands/watch.ts";
import { why } from "./commands/why.ts";
import { describeFailure, exitCodeOf } from "./exitCode.ts";
import { describeAll, describeCommand } from "./help.ts";
import { readInput } from "./input.ts";
import { printable } from "./printable.ts";
import { agentVersion } from "../protocol/version.ts";

const commands: readonly Command[] = [init, release, deploy, status, watch, command, why, logs];

const commonOptions = {
  dir: { type: "string", default: "." },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  "passphrase-file": { type: "string" },
} as const;

const write = (stream: NodeJS.WriteStream, text: string): void => void stream.write(`${printable(text)}\n`);

// Whoever reads our output has seen enough: `outstation watch pump-7 | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (name === "--version") return tell(agentVersion);
  if (name === undefined || name === "--help" || name === "-h" || name === "help") return tell(describeAll(commands));
  const found = commands.find((entry) => entry.name === name);
  if (found === undefined) {
    write(process.stderr, `outstation: there is no command "${name}".\nSee: outstation --help`);
    return 2;
  }
  try {
    return await runCommand(found, rest);
  } catch (error) {
    write(process.stderr, describeFailure(error, name));
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
  const passphrase = await readPassphrase(options);
  const secret = passphrase === undefined ? {} : { passphrase };
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
    directory,
    print: (text, value) => write(process.stdout, options["json"] === true ? JSON.stringify(value) : text),
    progress: (text) => void (options["json"] === true || write(process.stderr, text)),
    workspace: () => openWorkspace(directory, { clock: systemClock, ...secret }),
    session: ({ settings }) => openSession(settings, { clock: systemClock, random: systemRandom, ...login, signal }),
    signal,
  };
}

async function readPassphrase(options: OptionValues): Promise<string | undefined> {
  const file = options["passphrase-file"];
  if (typeof file !== "string") return process.env["OUTSTATION_PASSPHRASE"];
  return new TextDecoder().decode(await readInput(file, "passphrase file")).trimEnd();
}
