// Runs the transpile process with a deadline and a memory bound: inspect first, transpile only what was admitted.
import { fork, type ChildProcess } from "node:child_process";
import { extname } from "node:path";
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { RuntimeFailure } from "./error.ts";
import type { TranspileAnswer, TranspileRequest } from "./transpileChild.ts";

/** One run of the process over one component. Dispose ends it. */
export interface TranspileRun extends Disposable {
  /** The component's WIT as text. RuntimeFailure "not-a-component" when it has none. */
  inspect(componentPath: string): Promise<string>;
  /** Writes `component.mjs` and its core modules into a directory that exists; resolves with the file names. */
  transpile(outDirectory: string): Promise<readonly string[]>;
}

export function startTranspileRun(clock: Clock): TranspileRun {
  const script = new URL(`./transpileChild${extname(import.meta.filename)}`, import.meta.url);
  const child = fork(script, {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    env: {},
    execArgv: ["--liftoff-only", `--max-old-space-size=${limits.component.transpileMemoryMb}`],
  });
  const ask = createAsker(child, clock);
  return {
    inspect: async (componentPath) => {
      const answer = await ask({ kind: "inspect", componentPath });
      if (answer.kind === "inspected") return answer.wit;
      throw new RuntimeFailure("not-a-component", `These bytes are not a WebAssembly component: ${messageOf(answer)}.`);
    },
    transpile: async (outDirectory) => {
      const answer = await ask({ kind: "transpile", outDirectory });
      if (answer.kind === "transpiled") return answer.files;
      throw new RuntimeFailure("transpile-failed", `The component cannot be transpiled: ${messageOf(answer)}.`);
    },
    [Symbol.dispose]: () => child.kill("SIGKILL"),
  };
}

type Ask = (request: TranspileRequest) => Promise<TranspileAnswer>;

function createAsker(child: ChildProcess, clock: Clock): Ask {
  return (request) =>
    new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        cancel();
        child.off("message", onMessage).off("exit", onExit).off("error", onError);
        settle();
      };
      const onMessage = (answer: TranspileAnswer): void => finish(() => resolve(answer));
      const onExit = (code: number | null, signal: string | null): void =>
        finish(() =>
          reject(new RuntimeFailure("transpile-failed", `The transpile process ended (${signal ?? code}).`)),
        );
      const onError = (cause: Error): void =>
        finish(() => reject(new RuntimeFailure("transpile-failed", "The transpile process cannot run.", { cause })));
      const cancel = clock.after(limits.component.transpileMs, () => {
        child.kill("SIGKILL");
        const seconds = limits.component.transpileMs / 1000;
        finish(() => reject(new RuntimeFailure("transpile-timeout", `Transpiling took longer than ${seconds} s.`)));
      });
      child.on("message", onMessage).on("exit", onExit).on("error", onError);
      child.send(request);
    });
}

function messageOf(answer: TranspileAnswer): string {
  return answer.kind === "failed" ? firstLine(answer.message) : `it answered "${answer.kind}"`;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? text;
}
