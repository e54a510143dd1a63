// Starts a component's worker thread and talks to it; what ends the worker, for whatever reason, is told once.
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { describeError } from "../base/error.ts";
import type { CallOutcome, CallTarget, FromWorker, HandlerArguments, WorkerStart } from "./messages.ts";
import { toHostFailure } from "./lender/refusal.ts";
import type { Lender } from "./lender/lender.ts";

export interface ComponentWorker {
  /** Resolves when the component is instantiated; rejects with the reason when it ends before. */
  readonly ready: Promise<void>;
  /** Resolves with the reason when the thread is gone. */
  readonly ended: Promise<string>;
  /** Never rejects: a thread that ends meanwhile is a trap with its reason. */
  call<Target extends CallTarget>(target: Target, args: ArgumentsOf<Target>): Promise<CallOutcome>;
  /** CPU time of the thread so far, in milliseconds; works while it spins. */
  cpuMs(): Promise<number>;
  /** Stops the thread at once, also one that spins. */
  terminate(reason: string): Promise<void>;
}

export type ArgumentsOf<Target extends CallTarget> = Target extends keyof HandlerArguments
  ? HandlerArguments[Target]
  : readonly [];

export interface WorkerListener {
  log(level: "info" | "error", line: string): void;
  dropped(what: "log" | "reading", count: number): void;
}

export function startWorker(start: WorkerStart, lender: Lender, listener: WorkerListener): ComponentWorker {
  const script = new URL(`./worker/main${extname(import.meta.filename)}`, import.meta.url);
  const worker = new Worker(script, {
    workerData: start,
    env: {},
    argv: [],
    stdin: false,
    stdout: true,
    stderr: true,
    resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 },
  });
  return new WorkerThread(worker, lender, listener);
}

class WorkerThread implements ComponentWorker {
  readonly #worker: Worker;
  readonly #lender: Lender;
  readonly #listener: WorkerListener;
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<string>();
  readonly #waiting = new Map<number, (outcome: CallOutcome) => void>();
  #lastId = 0;
  /** Set once, by whatever ended the thread first. */
  #reason: string | undefined;

  constructor(worker: Worker, lender: Lender, listener: WorkerListener) {
    this.#worker = worker;
    this.#lender = lender;
    this.#listener = listener;
    // An end before readiness is told through `ended` as well.
    this.#ready.promise.catch(() => undefined);
    // What generated code prints is read and thrown away, or it would pile up here.
    worker.stdout.resume();
    worker.stderr.resume();
    worker.on("message", (message: FromWorker) => this.#receive(message));
    worker.on("error", (error) => {
      this.#reason ??= describeError(error);
    });
    worker.on("exit", () => this.#settle());
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get ended(): Promise<string> {
    return this.#ended.promise;
  }

  call<Target extends CallTarget>(target: Target, args: ArgumentsOf<Target>): Promise<CallOutcome> {
    return new Promise((resolve) => {
      if (this.#reason !== undefined) return resolve({ kind: "trap", message: this.#reason, stack: "" });
      this.#waiting.set(++this.#lastId, resolve);
      this.#worker.postMessage({ kind: "call", id: this.#lastId, target, args });
    });
  }

  async cpuMs(): Promise<number> {
    const { user, system } = await this.#worker.cpuUsage();
    return (user + system) / 1000;
  }

  async terminate(reason: string): Promise<void> {
    this.#reason ??= reason;
    await this.#worker.terminate();
  }

  #receive(message: FromWorker): void {
    switch (message.kind) {
      case "ready":
        return this.#ready.resolve();
      case "log":
        return this.#listener.log(message.level, message.line);
      case "dropped":
        return this.#listener.dropped(message.what, message.count);
      case "returned":
        this.#waiting.get(message.id)?.(message.outcome);
        return void this.#waiting.delete(message.id);
      case "request":
        return void serveRequest(this.#worker, this.#lender, message);
    }
  }

  #settle(): void {
    const reason = (this.#reason ??= "the worker ended");
    for (const resolve of this.#waiting.values()) resolve({ kind: "trap", message: reason, stack: "" });
    this.#waiting.clear();
    this.#ready.reject(new Error(reason));
    this.#ended.resolve(reason);
  }
}

async function serveRequest(
  worker: Worker,
  lender: Lender,
  { id, operation, args }: Extract<FromWorker, { kind: "request" }>,
): Promise<void> {
  try {
    worker.postMessage({ kind: "answer", id, value: await lender.perform(operation, args) });
  } catch (error) {
    worker.postMessage({ kind: "answer", id, failure: toHostFailure(error) });
  }
}
