// One life of a component: its worker, its triggers, its deadlines and its CPU watchdog, from start to the one end it has.
import type { Board } from "../../devices/board.ts";
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { ComponentDeployment } from "../protocol/deployment.ts";
import type { Reading } from "../protocol/reports.ts";
import type { Admission } from "./admit.ts";
import type { TranspiledComponent } from "./cache.ts";
import { createCallQueue, type CallQueue } from "./callQueue.ts";
import type { HardwareDrop } from "./lender/countDrops.ts";
import { createLender, type Lender } from "./lender/lender.ts";
import type { CallOutcome, CallTarget, HandlerArguments } from "./messages.ts";
import { startWorker, type ArgumentsOf, type ComponentWorker } from "./startWorker.ts";
import { startTriggers } from "./triggers.ts";
import { watchCpu } from "./watchCpu.ts";

export interface IncarnationOptions {
  readonly deployment: ComponentDeployment;
  readonly admission: Admission;
  readonly transpiled: TranspiledComponent;
  readonly board: Board;
  readonly clock: Clock;
  readonly report: (stream: string, readings: readonly Reading[]) => Promise<void>;
  readonly listener: IncarnationListener;
}

export interface IncarnationListener {
  log(level: "info" | "error", line: string): void;
  /** Something was dropped, with how many. */
  dropped(what: "log" | "call" | "reading" | HardwareDrop, count: number): void;
  problem(text: string): void;
}

/** How a life ended: a program that returned, something that went wrong, or our own wish. */
export interface ComponentEnd {
  readonly kind: "finished" | "crashed" | "stopped";
  readonly reason: string;
  readonly stack: string;
}

export interface Incarnation {
  /** Resolves when the component has started and, if a timer calls it, its first call came back; rejects when it ends before. */
  readonly healthy: Promise<void>;
  readonly ended: Promise<ComponentEnd>;
  /** Calls on-message in its turn. */
  message(method: string, params: string): Promise<CallOutcome>;
  stop(): Promise<void>;
}

export function startIncarnation(options: IncarnationOptions): Incarnation {
  return new Life(options);
}

class Life implements Incarnation {
  readonly #options: IncarnationOptions;
  readonly #abort = new AbortController();
  readonly #end = Promise.withResolvers<ComponentEnd>();
  readonly #healthy = Promise.withResolvers<void>();
  readonly #queue: CallQueue = createCallQueue(limits.component.queueDepth);
  readonly #lender: Lender;
  readonly #worker: ComponentWorker;
  /** False when it ended before it was ready. */
  readonly #started: Promise<boolean>;
  /** The last thing it said on stderr that tells something; a guest's panic message stands there. */
  #lastWords = "";

  constructor(options: IncarnationOptions) {
    const { board, clock, deployment, report } = options;
    this.#options = options;
    // An end before health is told through `ended` as well; nobody has to wait for health.
    this.#healthy.promise.catch(() => undefined);
    this.#lender = createLender({
      board,
      grants: deployment.grants,
      report,
      clock,
      onDropped: (what, count) => options.listener.dropped(what, count),
    });
    this.#worker = startWorker(describeStart(options), this.#lender, {
      log: (level, line) => this.#hear(level, line),
      dropped: (what, count) => options.listener.dropped(what, count),
    });
    this.#started = this.#worker.ready.then(
      () => true,
      () => false,
    );
    void this.#worker.ended.then((reason) => this.#crash(reason));
    void this.#run();
  }

  get healthy(): Promise<void> {
    return this.#healthy.promise;
  }

  get ended(): Promise<ComponentEnd> {
    return this.#end.promise;
  }

  message(method: string, params: string): Promise<CallOutcome> {
    return new Promise((resolve) =>
      this.#queue.push({
        run: async () => resolve(await this.#call("message", [method, params])),
        drop: (reason) => resolve({ kind: "trap", message: reason, stack: "" }),
      }),
    );
  }

  stop(): Promise<void> {
    return this.#finish({ kind: "stopped", reason: "stopped", stack: "" });
  }

  async #run(): Promise<void> {
    const { clock, deployment, admission } = this.#options;
    const { startMs, cpuShare } = limits.component;
    const cancel = clock.after(startMs, () => this.#crash(`it did not start within ${startMs} ms`));
    const started = await this.#started;
    cancel();
    if (!started || this.#abort.signal.aborted) return;
    const share = deployment.limits?.cpu ?? cpuShare;
    const onExcess = (reason: string): void => this.#crash(reason);
    watchCpu({ worker: this.#worker, clock, share, signal: this.#abort.signal, onExcess });
    if (Object.keys(deployment.triggers.interval).length === 0) this.#healthy.resolve();
    this.#startTriggers();
    if (!admission.isProgram) return;
    const end = await runProgram(this.#worker);
    if (end.kind === "crashed") this.#crash(end.reason, end.stack);
    else await this.#finish(end);
  }

  #startTriggers(): void {
    const { clock, deployment, listener } = this.#options;
    startTriggers({
      triggers: deployment.triggers,
      lender: this.#lender,
      clock,
      fire: (kind, args, key) => this.#fire(kind, args, key),
      onProblem: (what, error) => listener.problem(`${what}: ${describeError(error)}`),
      signal: this.#abort.signal,
    });
  }

  #fire<Kind extends keyof HandlerArguments>(kind: Kind, args: HandlerArguments[Kind], key?: string): void {
    const { listener } = this.#options;
    this.#queue.push({
      ...(key === undefined ? {} : { key }),
      run: async () => {
        const outcome = await this.#call(kind, args as ArgumentsOf<Kind>);
        if (outcome.kind === "error") listener.log("error", `on-${kind}: ${outcome.message}`);
      },
      drop: () => listener.dropped("call", 1),
    });
  }

  async #call<Target extends CallTarget>(target: Target, args: ArgumentsOf<Target>): Promise<CallOutcome> {
    const { clock, deployment } = this.#options;
    const callMs = deployment.limits?.call ?? limits.component.callMs;
    // A worker takes no calls before it is ready, and the time it takes to start is not the call's.
    await this.#started;
    const cancel = clock.after(callMs, () => this.#crash(`on-${target} did not return within ${callMs} ms`));
    const outcome = await this.#worker.call(target, args);
    cancel();
    if (outcome.kind === "trap") this.#crash(`on-${target} trapped: ${outcome.message}`, outcome.stack);
    else if (outcome.kind === "exited") this.#crash(`on-${target} called exit(${outcome.code})`);
    else this.#healthy.resolve();
    return outcome;
  }

  #hear(level: "info" | "error", line: string): void {
    if (level === "error" && /[a-z]/i.test(line) && !line.startsWith("note:")) this.#lastWords = line;
    this.#options.listener.log(level, line);
  }

  #crash(reason: string, stack = ""): void {
    const said = this.#lastWords === "" ? "" : `${this.#lastWords} — `;
    void this.#finish({ kind: "crashed", reason: `${said}${reason}`, stack });
  }

  /** The first end counts; what waits is refused, what is lent is taken back, and only then is the end told. */
  async #finish(end: ComponentEnd): Promise<void> {
    if (this.#abort.signal.aborted) return void (await this.#end.promise);
    this.#abort.abort(new Error(end.reason));
    this.#queue.close(end.reason);
    await this.#worker.terminate(end.reason);
    await this.#lender.release();
    this.#healthy.reject(new Error(end.reason));
    this.#end.resolve(end);
  }
}

/** A program has no call deadline: it runs as long as it likes, under the CPU watchdog. */
async function runProgram(worker: ComponentWorker): Promise<ComponentEnd> {
  const outcome = await worker.call("run", []);
  switch (outcome.kind) {
    case "ok":
      return { kind: "finished", reason: "the program returned", stack: "" };
    case "exited":
      return { kind: outcome.code === 0 ? "finished" : "crashed", reason: `it exited with ${outcome.code}`, stack: "" };
    case "error":
      return { kind: "crashed", reason: "run returned an error", stack: "" };
    case "trap":
      return { kind: "crashed", reason: `run trapped: ${outcome.message}`, stack: outcome.stack };
  }
}

function describeStart({ transpiled, admission, deployment }: IncarnationOptions): Parameters<typeof startWorker>[0] {
  return {
    moduleUrl: transpiled.moduleUrl,
    coreModules: transpiled.coreModules,
    imports: admission.imports,
    memoryMaxBytes: deployment.limits?.memory ?? limits.component.memoryMaxBytes,
    config: Object.fromEntries(Object.entries(deployment.config).map(([key, value]) => [key, textOf(value)])),
    readingsPerSecond: deployment.limits?.readings ?? limits.component.readingsPerSecond,
    logsPerSecond: deployment.limits?.logs ?? limits.component.logsPerSecond,
  };
}

/** Strings as they are, everything else as JSON. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
