// The two commands as a person would run them: `outstation` for one task, `outstationd` as a process that stays.
import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream } from "node:fs";
import { join } from "node:path";

/** Where the two commands are: this repository's build, or a package installed somewhere. */
export interface Programs {
  readonly outstation: string;
  readonly outstationd: string;
}

export const builtPrograms: Programs = programsIn(join(import.meta.dirname, "..", ".."));

export function programsIn(packageDirectory: string): Programs {
  const at = (name: string): string => join(packageDirectory, "dist", "src", name, "main.js");
  return { outstation: at("cli"), outstationd: at("agent") };
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command to its end. */
export function run(program: string, args: readonly string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code: code ?? 1, stdout, stderr })));
}

export interface Daemon {
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals | null>;
}

/** Starts the agent; its log goes to a file. */
export function startDaemon(program: string, stateDirectory: string, logFile: string): Daemon {
  const args = [program, "run", "--state", stateDirectory];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const log = createWriteStream(logFile, { flags: "a" });
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  return {
    pid: child.pid ?? 0,
    kill: (signal) => void child.kill(signal),
    exited: new Promise((resolve) => child.on("exit", (code, signal) => resolve(code ?? signal))),
  };
}
