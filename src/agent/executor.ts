// One thing at a time: deployments, rollbacks and retries wait here for their turn; repeated nudges become one.
import type { Clock } from "../base/clock.ts";
import { describeError, OutstationError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";

export interface Executor {
  /** Asks for a look at what is desired; while one is waiting, another adds nothing. */
  nudge(): void;
  /** Runs once, after what is running and before later nudges. */
  run(task: () => Promise<void>): void;
  /** Resolves when nothing runs any more; what waits is dropped. */
  stop(): Promise<void>;
}

export interface ExecutorOptions {
  readonly reconcile: () => Promise<"settled" | "try-later">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export function createExecutor(options: ExecutorOptions): Executor {
  return new SerialExecutor(options);
}

class SerialExecutor implements Executor {
  readonly #options: ExecutorOptions;
  readonly #waiting: (() => Promise<void>)[] = [];
  #isNudged = false;
  #isStopped = false;
  #running: Promise<void> | undefined;
  #failures = 0;
  #cancelRetry: (() => void) | undefined;

  constructor(options: ExecutorOptions) {
    this.#options = options;
  }

  nudge(): void {
    if (this.#isNudged) return;
    this.#isNudged = true;
    this.run(async () => {
      this.#isNudged = false;
      await this.#reconcile();
    });
  }

  run(task: () => Promise<void>): void {
    if (this.#isStopped) return;
    this.#waiting.push(task);
    this.#running ??= this.#work();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#waiting.length = 0;
    this.#cancelRetry?.();
    await this.#running;
  }

  async #work(): Promise<void> {
    for (let task = this.#waiting.shift(); task !== undefined; task = this.#waiting.shift()) {
      await task().catch((error: unknown) => this.#fail(error));
    }
    // In the same turn as the last look at what waits, so that nothing can come in between and be left there.
    this.#running = undefined;
  }

  async #reconcile(): Promise<void> {
    this.#cancelRetry?.();
    try {
      if ((await this.#options.reconcile()) === "settled") this.#failures = 0;
      else this.#retryLater();
    } catch (error) {
      if (!(error instanceof OutstationError) || this.#isStopped) throw error;
      this.#options.log.warn(
        { reason: error.message, code: error.code },
        "the desired deployment cannot be reached now",
      );
      this.#retryLater();
    }
  }

  #retryLater(): void {
    const { clock, random } = this.#options;
    this.#cancelRetry?.();
    const { retryMinMs, retryMaxMs } = limits.deployment;
    const delayMs = Math.min(retryMaxMs, retryMinMs * 2 ** this.#failures++) * (0.5 + random.fraction() / 2);
    this.#cancelRetry = clock.after(delayMs, () => this.nudge());
  }

  /** Not one of our failures: a bug. What runs goes on and the log has it; while we stop, it is what we ended ourselves. */
  #fail(error: unknown): void {
    if (this.#isStopped) return;
    this.#options.log.error(
      { reason: describeError(error), stack: (error as Error).stack },
      "a step failed unexpectedly",
    );
    this.#retryLater();
  }
}
