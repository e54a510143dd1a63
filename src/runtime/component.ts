// A component as the agent sees it: kept running through crashes with back-off, until it is stopped or given up on.
import { OutstationError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import type { ComponentStatus } from "../protocol/reports.ts";
import { startIncarnation, type ComponentEnd, type Incarnation, type IncarnationOptions } from "./incarnation.ts";

export class ComponentError extends OutstationError<"not-running" | "no-handler" | "answered-error" | "too-large"> {}

export interface ComponentOptions extends IncarnationOptions {
  readonly random: Random;
  /** Called when the status changed. */
  readonly onChange: () => void;
  /**
   * Asked after every crash, with the number of crashes inside the window. "restart" starts it again after a back-off;
   * "give-up" leaves it stopped.
   */
  readonly onCrash: (end: ComponentEnd, recentCrashes: number) => "restart" | "give-up";
}

export interface RunningComponent {
  readonly status: ComponentStatus;
  /** Why it is not running, or why it was last restarted. */
  readonly reason: string | undefined;
  readonly restarts: number;
  /** The first life's health; rejects when it ended before it was healthy. */
  readonly healthy: Promise<void>;
  /**
   * Calls on-message and resolves with the component's answer (JSON text). Rejects with ComponentError:
   * "answered-error" carries the component's own words, "not-running" (it ended before it answered, or has no room for the call),
   * "no-handler" and "too-large" say so.
   */
  message(method: string, params: string): Promise<string>;
  stop(): Promise<void>;
}

export function startComponent(options: ComponentOptions): RunningComponent {
  return new SupervisedComponent(options);
}

class SupervisedComponent implements RunningComponent {
  readonly healthy: Promise<void>;
  readonly #options: ComponentOptions;
  /** When the recent crashes happened, on the monotonic clock. */
  readonly #crashes: number[] = [];
  #status: ComponentStatus = "starting";
  #reason: string | undefined;
  #restarts = 0;
  #isStopped = false;
  #cancelRestart: (() => void) | undefined;
  #life: Incarnation;

  constructor(options: ComponentOptions) {
    this.#options = options;
    this.#life = this.#startLife();
    this.healthy = this.#life.healthy;
  }

  get status(): ComponentStatus {
    return this.#status;
  }

  get reason(): string | undefined {
    return this.#reason;
  }

  get restarts(): number {
    return this.#restarts;
  }

  async message(method: string, params: string): Promise<string> {
    if (!this.#options.admission.handlers.includes("message"))
      throw new ComponentError("no-handler", "The component exports no outstation:gateway/on-message.");
    if (this.#status !== "running" && this.#status !== "starting")
      throw new ComponentError(
        "not-running",
        `The component is ${this.#status}: ${this.#reason ?? "no reason known"}.`,
      );
    if (Buffer.byteLength(method) + Buffer.byteLength(params) > limits.component.callBytes)
      throw new ComponentError("too-large", `A call takes at most ${limits.component.callBytes} bytes; send less.`);
    const outcome = await this.#life.message(method, params);
    if (outcome.kind === "ok") return outcome.value ?? "null";
    if (outcome.kind === "error") throw new ComponentError("answered-error", outcome.message);
    const words = outcome.kind === "trap" ? outcome.message : `it exited with ${outcome.code}`;
    throw new ComponentError("not-running", `The component did not answer: ${words}.`);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelRestart?.();
    await this.#life.stop();
    this.#status = "stopped";
  }

  #startLife(): Incarnation {
    this.#become("starting");
    const life = startIncarnation(this.#options);
    life.healthy.then(
      () => this.#become("running"),
      // Why it ended comes with `ended`.
      () => undefined,
    );
    void life.ended.then((end) => this.#afterEnd(end));
    return life;
  }

  #afterEnd(end: ComponentEnd): void {
    if (this.#isStopped) return;
    this.#reason = end.reason;
    this.#become(end.kind === "finished" ? "finished" : "stopped");
    if (end.kind !== "crashed") return;
    const recent = this.#countCrash();
    if (this.#options.onCrash(end, recent) === "give-up") return;
    this.#become("backing-off");
    const delayMs = planRestartDelay(recent, this.#options.random.fraction());
    this.#cancelRestart = this.#options.clock.after(delayMs, () => {
      this.#restarts++;
      this.#life = this.#startLife();
    });
  }

  #become(status: ComponentStatus): void {
    if (this.#status === status) return;
    this.#status = status;
    this.#options.onChange();
  }

  #countCrash(): number {
    const nowMs = this.#options.clock.monotonicMs();
    this.#crashes.push(nowMs);
    while ((this.#crashes[0] ?? nowMs) < nowMs - limits.component.crashWindowMs) this.#crashes.shift();
    return this.#crashes.length;
  }
}

/** Doubles with every crash in the window, with up to a fifth of jitter. */
export function planRestartDelay(recentCrashes: number, fraction: number): number {
  const { restartMinMs, restartMaxMs } = limits.component;
  const base = Math.min(restartMaxMs, restartMinMs * 2 ** Math.max(0, recentCrashes - 1));
  return Math.round(base * (1 + fraction / 5));
}
