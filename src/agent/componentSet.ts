// The components that run now: prepares a set without touching what runs, switches to it, and says how each one is.
import type { Board } from "../../devices/board.ts";
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { shorten } from "../base/words.ts";
import { deploymentSchema, type ComponentDeployment } from "../protocol/deployment.ts";
import { parseValue } from "../protocol/document.ts";
import { isRefusal, type Refusal, refuse } from "../protocol/refusal.ts";
import type { Reading, ReportedDocument } from "../protocol/reports.ts";
import { admitComponent, type Admission } from "../runtime/admit.ts";
import type { TranspileCache, TranspiledComponent } from "../runtime/cache.ts";
import { startComponent, type RunningComponent } from "../runtime/component.ts";
import type { ComponentEnd } from "../runtime/incarnation.ts";
import type { ComponentStore } from "../store/componentStore.ts";
import type { CommittedSet } from "../store/deploymentStore.ts";
import type { ComponentVoice } from "./voice.ts";

export interface ComponentSetContext {
  readonly board: Board;
  readonly store: ComponentStore;
  readonly cache: TranspileCache;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly report: (component: string, stream: string, readings: readonly Reading[]) => Promise<void>;
  readonly voice: (component: string) => ComponentVoice;
  /** Called when a component's status changed. */
  readonly onChange: () => void;
  /** Asked after a crash; see `ComponentOptions.onCrash`. */
  readonly onCrash: (component: string, end: ComponentEnd, recentCrashes: number) => "restart" | "give-up";
}

/** A component that may be started: admitted and transpiled. */
export interface PreparedComponent {
  readonly name: string;
  readonly release: string;
  readonly sha256: string;
  readonly deployment: ComponentDeployment;
  readonly admission: Admission;
  readonly transpiled: TranspiledComponent;
  /** Two prepared components with the same key are the same thing, and the running one goes on. */
  readonly key: string;
}

export interface PreparedSet {
  readonly components: readonly PreparedComponent[];
  /** Those that cannot run on this board, by name. */
  readonly refused: ReadonlyMap<string, Refusal>;
}

type ComponentReport = ReportedDocument["components"][string];

export class ComponentSet {
  readonly #context: ComponentSetContext;
  readonly #running = new Map<string, { readonly prepared: PreparedComponent; readonly component: RunningComponent }>();
  #refused: ReadonlyMap<string, Refusal> = new Map();
  /** Started by the last switch; the others ran before and were healthy then. */
  #fresh: ReadonlySet<string> = new Set();

  constructor(context: ComponentSetContext) {
    this.#context = context;
  }

  /** Loads, admits and transpiles every component of a set. What runs goes on meanwhile. */
  async prepare(set: CommittedSet): Promise<PreparedSet> {
    const { components } = parseValue(deploymentSchema, set.deployment, { what: `deployment ${set.version}` });
    const prepared: PreparedComponent[] = [];
    const refused = new Map<string, Refusal>();
    for (const [name, deployment] of Object.entries(components)) {
      const outcome = await this.#prepareOne(name, deployment, set);
      if (isRefusal(outcome)) refused.set(name, outcome);
      else prepared.push(outcome);
    }
    return { components: prepared, refused };
  }

  /**
   * Stops what is not in the set, then starts what is new; a component that is the same goes on undisturbed. One that was
   * given up on does not go on by itself, so it counts as new.
   */
  async switchTo(set: PreparedSet): Promise<void> {
    const keys = new Set(set.components.map(({ key }) => key));
    const leaving = [...this.#running].filter(
      ([, { prepared, component }]) => !keys.has(prepared.key) || component.status === "stopped",
    );
    await Promise.all(leaving.map(([, { component }]) => component.stop()));
    for (const [name] of leaving) this.#running.delete(name);
    const fresh = set.components.filter(({ name }) => !this.#running.has(name));
    for (const prepared of fresh) this.#start(prepared);
    this.#fresh = new Set(fresh.map(({ name }) => name));
    this.#refused = set.refused;
  }

  /** Resolves when every component that the last switch started is healthy; rejects with the first that ended before. */
  async healthy(): Promise<void> {
    const started = [...this.#running].filter(([name]) => this.#fresh.has(name));
    const proofs = started.map(async ([name, { component }]) => {
      try {
        await component.healthy;
      } catch (cause) {
        throw new Error(`${name}: ${describeError(cause)}`, { cause });
      }
    });
    await Promise.all(proofs);
  }

  find(name: string): RunningComponent | undefined {
    return this.#running.get(name)?.component;
  }

  describe(): Record<string, ComponentReport> {
    const described: Record<string, ComponentReport> = {};
    for (const [name, { prepared, component }] of this.#running) {
      const { status, restarts, reason } = component;
      const { release, sha256 } = prepared;
      const why = reason === undefined ? {} : { reason: shorten(reason, limits.words.reason) };
      described[name] = { release, sha256, status, restarts, ...why };
    }
    for (const [name, refusal] of this.#refused)
      described[name] = {
        release: "",
        sha256: "",
        status: "stopped",
        restarts: 0,
        reason: shorten(`${refusal.rule}: ${refusal.seen}`, limits.words.reason),
      };
    return described;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ component }) => component.stop()));
    this.#running.clear();
  }

  async #prepareOne(
    name: string,
    deployment: ComponentDeployment,
    set: CommittedSet,
  ): Promise<PreparedComponent | Refusal> {
    const { store, cache, board } = this.#context;
    const entry = set.components[name];
    const path = entry === undefined ? undefined : await store.find(entry.sha256);
    if (entry === undefined || path === undefined)
      return refuse("delivery.missing", `${deployment.release} is not in the store.`, "Deploy it again.");
    const admit = (shape: Parameters<typeof admitComponent>[1]): Admission | Refusal =>
      admitComponent(name, shape, deployment, board.ports);
    const outcome = await cache.prepare({ sha256: entry.sha256, path }, admit);
    if (isRefusal(outcome)) return outcome;
    const key = JSON.stringify([name, entry.sha256, deployment]);
    const { admitted: admission, transpiled } = outcome;
    return { name, release: entry.release, sha256: entry.sha256, deployment, admission, transpiled, key };
  }

  #start(prepared: PreparedComponent): void {
    const { board, clock, random, report, voice, onChange, onCrash } = this.#context;
    const { name, deployment, admission, transpiled } = prepared;
    const component = startComponent({
      deployment,
      admission,
      transpiled,
      board,
      clock,
      random,
      report: (stream, readings) => report(name, stream, readings),
      listener: voice(name),
      onChange,
      onCrash: (end, recent) => onCrash(name, end, recent),
    });
    this.#running.set(name, { prepared, component });
  }
}
