// The worker of one component: links exactly what was admitted, instantiates, and calls handlers as it is told.
import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { limits } from "../../base/limits.ts";
import { countMemories, limitMemory } from "../memoryLimit.ts";
import { handlerInterfaces } from "../interfaces.ts";
import type { CallTarget, FromWorker, ToWorker, WorkerStart } from "../messages.ts";
import { describeOutcome } from "./outcome.ts";
import { createHostCalls, type HostCalls } from "./calls.ts";
import { createDropReport, type DropReport } from "./dropReport.ts";
import { createImports } from "./imports.ts";
import { loadShim, type HostInterface } from "./shim.ts";

// jco's generated code reads process.env on every call; it must see neither the agent's nor pay for the lookup.
Object.defineProperty(process, "env", { value: Object.freeze({}) });

type Exports = Readonly<Record<string, Readonly<Record<string, (...args: readonly unknown[]) => unknown>>>>;
type Instantiate = (
  getCoreModule: (name: string) => Promise<WebAssembly.Module>,
  imports: Record<string, HostInterface>,
  instantiateCore: Cores["instantiate"],
) => Promise<Exports>;

const time = {
  monotonicMs: () => performance.now(),
  after: (ms: number, task: () => void) => void setTimeout(task, ms),
};

if (parentPort !== null) await serve(parentPort, workerData as WorkerStart);

async function serve(port: MessagePort, start: WorkerStart): Promise<void> {
  const send = (message: FromWorker): void => port.postMessage(message);
  const calls = createHostCalls(port);
  const drops = createDropReports(send);
  port.on("message", (message: ToWorker) => {
    if (message.kind === "answer") calls.settle(message);
  });
  const exports = await instantiate(start, { calls, drops, send });
  port.on("message", (message: ToWorker) => {
    if (message.kind === "call")
      void call(exports, message).then((outcome) => {
        // Before the answer, so that whoever has it knows what the call cost.
        for (const report of Object.values(drops)) report.tellAll();
        send({ kind: "returned", id: message.id, outcome });
      });
  });
  send({ kind: "ready" });
}

interface Lines {
  readonly calls: HostCalls;
  readonly drops: Readonly<Record<"log" | "reading", DropReport>>;
  readonly send: (message: FromWorker) => void;
}

function createDropReports(send: Lines["send"]): Lines["drops"] {
  const report = (what: "log" | "reading"): DropReport =>
    createDropReport((count) => send({ kind: "dropped", what, count }), limits.component.dropReportMs, time);
  return { log: report("log"), reading: report("reading") };
}

async function instantiate(start: WorkerStart, { calls, drops, send }: Lines): Promise<Exports> {
  const sink = (level: "info" | "error"): { line(text: string): void; dropped(count: number): void } => ({
    line: (line) => send({ kind: "log", level, line }),
    dropped: drops.log.drop,
  });
  const shim = await loadShim();
  const imports = createImports({
    shim,
    calls,
    start,
    stdout: sink("info"),
    stderr: sink("error"),
    droppedReadings: drops.reading.drop,
  });
  const module = (await import(start.moduleUrl)) as { readonly instantiate: Instantiate };
  const cores = createCores(start);
  return module.instantiate(cores.compile, imports, cores.instantiate);
}

interface Cores {
  compile(name: string): Promise<WebAssembly.Module>;
  instantiate(module: WebAssembly.Module, imports: WebAssembly.Imports): Promise<WebAssembly.Instance>;
}

/** Core modules with capped memories, of which a component has only so many, however often it instantiates a module. */
function createCores({ coreModules, memoryMaxBytes }: WorkerStart): Cores {
  const memoriesOf = new Map<WebAssembly.Module, number>();
  let memories = 0;
  return {
    compile: async (name) => {
      const bytes = coreModules.get(name);
      if (bytes === undefined) throw new Error(`the component has no core module ${name}`);
      const module = await WebAssembly.compile(limitMemory(bytes, memoryMaxBytes));
      memoriesOf.set(module, countMemories(bytes));
      return module;
    },
    instantiate: async (module, imports) => {
      memories += memoriesOf.get(module) ?? 0;
      const most = limits.component.memories;
      if (memories > most) throw new RangeError(`the component has more than ${most} memories`);
      return WebAssembly.instantiate(module, imports);
    },
  };
}

type Call = Extract<ToWorker, { kind: "call" }>;

async function call(exports: Exports, { target, args }: Call): Promise<ReturnType<typeof describeOutcome>> {
  try {
    const run = findExport(exports, target);
    return describeOutcome({ value: await run(...args) });
  } catch (thrown) {
    return describeOutcome({ thrown });
  }
}

/** jco names an exported interface with its version; the admitted component exports exactly one of each. */
function findExport(exports: Exports, target: CallTarget): (...args: readonly unknown[]) => unknown {
  const [name, method] = target === "run" ? ["wasi:cli/run", "run"] : [handlerInterfaces[target], "handle"];
  const key = Object.keys(exports).find((entry) => entry === name || entry.startsWith(`${name}@`));
  const found = key === undefined ? undefined : exports[key]?.[method];
  if (found === undefined) throw new Error(`the component does not export ${name}`);
  return found;
}
