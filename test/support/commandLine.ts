// The two commands as processes, run from their sources in a directory of the test's own.
import { spawn } from "node:child_process";
import { join } from "node:path";

const source = join(import.meta.dirname, "..", "..", "src");
const programs = {
  outstation: join(source, "cli", "main.ts"),
  outstationd: join(source, "agent", "main.ts"),
} as const;

export interface Outcome {
  readonly code: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartedProcess {
  readonly ended: Promise<Outcome>;
  /** Resolves when the text has appeared on stdout or stderr. Rejects with all of it when the process ends first. */
  until(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

export interface RunOptions {
  readonly directory: string;
  /** Instead of the environment's; PATH and HOME are always there. */
  readonly environment?: Readonly<Record<string, string>>;
}

export function startCommand(
  program: keyof typeof programs,
  args: readonly string[],
  { directory, environment = {} }: RunOptions,
): StartedProcess {
  const child = spawn(process.execPath, [programs[program], ...args], {
    cwd: directory,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], HOME: directory, ...environment },
  });
  const said = { stdout: "", stderr: "" };
  const looking = new Set<() => void>();
  const listen = (name: keyof typeof said): void =>
    void child[name].on("data", (chunk: Buffer) => {
      said[name] += chunk.toString();
      for (const look of looking) look();
    });
  listen("stdout");
  listen("stderr");
  const ended = new Promise<Outcome>((resolve) =>
    child.on("close", (code, signal) => resolve({ code: code ?? signal ?? 1, ...said })),
  );
  const until = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (`${said.stdout}${said.stderr}`.includes(text)) resolve();
      };
      looking.add(look);
      look();
      void ended.then(() => reject(new Error(`it ended without saying "${text}": ${said.stdout}${said.stderr}`)));
    });
  return { ended, until, kill: (signal) => void child.kill(signal) };
}

export function runCommand(
  program: keyof typeof programs,
  args: readonly string[],
  options: RunOptions,
): Promise<Outcome> {
  return startCommand(program, args, options).ended;
}
