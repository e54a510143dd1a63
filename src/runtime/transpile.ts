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

export function startTranspileRun(clock: Clock, deadlineMs: number = limits.component.transpileMs): TranspileRun {
  const script = new URL(`./transpileChild${extname(import.meta.filename)}`, import.meta.url);
  const child = fork(script, {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    env: {},
    execArgv: ["--liftoff-only", `--max-old-space-size=${limits.component.transpileMemoryMb}`],
  });
  const ask = createAsker(child, clock, deadlineMs);
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

function createAsker(child: ChildProcess, clock: Clock, deadlineMs: number): Ask {
  let broken: Error | undefined;
  // A process that cannot be started says so before anybody asks it something.
  child.on("error", (cause) => {
    broken ??= cause;
  });
  return (request) =>
    new Promise((resolve, reject) => {
      if (broken !== undefined) return reject(describeBroken(broken));
      const finish = (settle: () => void): void => {
        cancel();
        child.off("message", onMessage).off("exit", onExit).off("error", onError);
        settle();
      };
      const onMessage = (answer: TranspileAnswer): void => finish(() => resolve(answer));
      const onExit = (code: number | null, signal: string | null): void =>
        finish(() =>
          reject(new RuntimeFailure("transpile-ended", `The transpile process ended by itself (${signal ?? code}).`)),
        );
      const onError = (cause: Error): void => finish(() => reject(describeBroken(cause)));
      const cancel = clock.after(deadlineMs, () => {
        child.kill("SIGKILL");
        finish(() => reject(new RuntimeFailure("transpile-ended", `Transpiling took longer than ${deadlineMs} ms.`)));
      });
      child.on("message", onMessage).on("exit", onExit).on("error", onError);
      child.send(request);
    });
}

/** The machine's fault and not the component's: it may go better next time. */
function describeBroken(cause: Error): RuntimeFailure {
  const message = `The transpile process cannot run (${cause.message}); is the machine out of memory or processes?`;
  return new RuntimeFailure("stopped", message, { cause, retryable: true });
}

function messageOf(answer: TranspileAnswer): string {
  return answer.kind === "failed" ? toOneLine(answer.message) : `it answered "${answer.kind}"`;
}

/** The tools put the cause on lines of its own; it is what tells people something. */
function toOneLine(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  const telling = lines.filter((line) => line !== "" && line !== "Caused by:");
  return telling.join(": ").slice(0, limits.component.logLineBytes);
}
