// The life of a gateway under strace: killed or failed at the nth system call on a file of its state directory.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeRounds, type UpdateRounds } from "./roundsFile.ts";
import { readLines, type SeenWorld, worldOf } from "./seenWorld.ts";

/** The nth call of this name, as strace counts them. */
export interface CallSite {
  readonly call: string;
  readonly nth: number;
  /** Below the state directory; "" is the directory itself. */
  readonly path: string;
  readonly changes: boolean;
}

export interface Ended extends SeenWorld {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

const calls = ["openat", "write", "pwrite64", "fsync", "fdatasync", "rename", "unlink", "mkdir"];
/** A life takes about a second; nothing in it waits. */
const hangsAfterMs = 30_000;

/** Undefined when strace can be used here, else why it cannot. */
export function straceMissing(): string | undefined {
  const tried = spawnSync("strace", ["-f", "-qq", "-o", "/dev/null", "true"], { encoding: "utf8" });
  if (tried.error !== undefined) return `strace is not installed (${tried.error.message})`;
  return tried.status === 0 ? undefined : `strace may not trace here (${tried.stderr.trim()})`;
}

export class StracedLife {
  readonly #directory: string;
  readonly #script = join(import.meta.dirname, "updateProcess.ts");
  /** The files of the state directory, as strace is told which calls to count. */
  #paths: readonly string[] = [];

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** `directory` is empty and this life's own. */
  static async open(directory: string, rounds: UpdateRounds): Promise<StracedLife> {
    await writeFile(join(directory, "rounds.json"), encodeRounds(rounds));
    return new StracedLife(directory);
  }

  /** Lives once unharmed. Every call on a file of the state directory, in order. */
  async listCalls(): Promise<readonly CallSite[]> {
    const everything = await this.#trace("every", []);
    this.#paths = [...new Set(everything.map(({ path }) => path))];
    return this.#trace("counted", this.#paths);
  }

  stateDirectory(name: string): string {
    return join(this.#directory, name, "state");
  }

  /** Lives in directories of this name, with strace told `inject`. */
  run(name: string, inject: string): Promise<Ended> {
    return this.#spawn(name, ["-e", `trace=${calls.join()}`, "-e", `inject=${inject}`], this.#paths);
  }

  async #trace(name: string, paths: readonly string[]): Promise<readonly CallSite[]> {
    const { isDone, stderr } = await this.#spawn(name, ["-e", `trace=${calls.join()}`], paths);
    if (!isDone) throw new Error(`the life does not come to its end unharmed: ${stderr}`);
    const state = this.stateDirectory(name);
    const counts = new Map<string, number>();
    const sites: CallSite[] = [];
    for (const line of (await readFile(join(this.#directory, name, "trace"), "utf8")).split("\n")) {
      const call = /^\d+ +(\w+)\(/.exec(line)?.[1];
      const at = line.indexOf(state);
      if (call === undefined || at < 0) continue;
      const nth = (counts.get(call) ?? 0) + 1;
      counts.set(call, nth);
      const path = /^[^">]*/.exec(line.slice(at + state.length))?.[0] ?? "";
      sites.push({ call, nth, path, changes: call !== "openat" || line.includes("O_CREAT") });
    }
    return sites;
  }

  async #spawn(name: string, options: readonly string[], paths: readonly string[]): Promise<Ended> {
    const own = join(this.#directory, name);
    const state = this.stateDirectory(name);
    await mkdir(state, { recursive: true });
    await mkdir(join(own, "tmp"));
    const world = join(own, "world");
    const filters = paths.flatMap((path) => ["-P", state + path]);
    const traced = ["-f", "-y", "-qq", "-o", join(own, "trace"), ...filters, ...options];
    const node = [process.execPath, "--disable-warning=ExperimentalWarning", this.#script];
    const child = spawn("strace", [...traced, ...node, join(this.#directory, "rounds.json"), state, world], {
      // strace counts the calls of each thread by itself, so there is one for all files.
      env: { ...process.env, TMPDIR: join(own, "tmp"), UV_THREADPOOL_SIZE: "1", NODE_OPTIONS: "" },
      stdio: ["ignore", "ignore", "pipe"],
      timeout: hangsAfterMs,
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const [exitCode, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    return { exitCode, signal, stderr, ...worldOf(await readLines(world)) };
  }
}
