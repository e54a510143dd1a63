// The one executor: turns what is desired into what runs, one step at a time, and never leaves the gateway without a set.
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { type Deployment, deploymentSchema } from "../protocol/deployment.ts";
import { parseValue } from "../protocol/document.ts";
import { isRefusal, type Refusal } from "../protocol/refusal.ts";
import type { VerifiedTarget } from "../protocol/release.ts";
import type { EventDocument } from "../protocol/reports.ts";
import type { CommittedSet, DeploymentStore } from "../store/deploymentStore.ts";
import type { VerifiedDeployment } from "../trust/refresh.ts";
import type { ComponentSet, PreparedSet } from "./componentSet.ts";
import { planDeployment } from "./plan.ts";
import { isLasting } from "./precheck.ts";
import type { Reporter } from "./reporter.ts";

export interface ReconcileContext {
  readonly deployments: DeploymentStore;
  readonly components: Pick<ComponentSet, "prepare" | "switchTo" | "healthy">;
  readonly reporter: Reporter;
  readonly clock: Clock;
  readonly log: Log;
  /** Asks both repositories what should run here. Rejects when the broker is not reached. */
  readonly refresh: () => Promise<VerifiedDeployment | "nothing-deployed" | Refusal>;
  /** Whether it can run here at all; fetches nothing. */
  readonly check: (deployment: Deployment, targets: readonly VerifiedTarget[]) => Promise<Refusal | undefined>;
  /** Gets every target into the store. */
  readonly deliver: (targets: readonly VerifiedTarget[]) => Promise<Refusal | undefined>;
  /** Whether the component with this hash is in the store. */
  readonly isStored: (sha256: string) => boolean;
  /** Called with every deployment that was verified, before it is acted on. */
  readonly onVerified: (deployment: VerifiedDeployment) => Promise<void>;
  /** Called after a deployment was committed or given up: what is no longer needed may go. */
  readonly onSettled: () => Promise<void>;
  /** Resolves once the broker acknowledged something after now; rejects when it did not within the time. */
  readonly reachBroker: (withinMs: number) => Promise<void>;
}

type TrialEnd =
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "abandoned" };

export class Reconciler {
  readonly #context: ReconcileContext;
  /** Set while a trial runs; a crash in it ends the trial instead of being restarted. */
  #trial: ((end: TrialEnd) => void) | undefined;
  #isStopping = false;

  constructor(context: ReconcileContext) {
    this.#context = context;
  }

  get isTrial(): boolean {
    return this.#trial !== undefined;
  }

  failTrial(reason: string): void {
    this.#trial?.({ kind: "failed", reason });
  }

  /** The agent stops: a trial ends without being judged and none is begun; the next boot takes it up again. */
  abandonTrial(): void {
    this.#isStopping = true;
    this.#trial?.({ kind: "abandoned" });
  }

  /** At boot: runs the committed set. Needs no network. */
  async runCommitted(): Promise<void> {
    const { deployments, reporter } = this.#context;
    const { active, untold = [] } = deployments.read();
    for (const outcome of untold) this.#tell(outcome);
    if (active === undefined) return;
    // First, since every component that starts is reported with it.
    reporter.report({ deployment: active.version, desired: active.version, phase: "committed" });
    await this.#run(active);
  }

  /** After boot: takes up a trial that a restart or power cut interrupted, or gives it up after so many attempts. */
  async resumeTrial(): Promise<void> {
    const { deployments } = this.#context;
    const { trial } = deployments.read();
    if (trial === undefined) return;
    if (trial.attempts >= limits.deployment.trialAttempts)
      return this.#rollBackTrial(`the gateway restarted ${trial.attempts} times during the trial`);
    await deployments.retryTrial();
    await this.#try(trial.set);
  }

  /**
   * Looks at what is desired now and gets there. "try-later" when what the broker has cannot be used: whoever publishes
   * it may mend it without telling us. Rejects when the broker is not reached; call again later as well.
   */
  async reconcile(): Promise<"settled" | "try-later"> {
    const { refresh, reporter, deployments } = this.#context;
    const verified = await refresh();
    if (verified === "nothing-deployed") return this.#stayIdle();
    if (isRefusal(verified)) return this.#refuseForNow(verified, reporter.current.desired);
    await this.#context.onVerified(verified);
    const plan = planDeployment(deployments.read(), verified);
    const { version } = verified.deployment;
    if (plan.kind === "keep") return this.#keep(verified);
    if (plan.kind === "refused") return this.#keepRefused(plan, version);
    const impossible = await this.#context.check(verified.deployment, plan.targets);
    if (impossible !== undefined) return this.#refuseEarly(impossible, version);
    const isSecondTry = reporter.current.phase === "refused" && reporter.current.desired === version;
    if (!isSecondTry) reporter.report({ deployment: this.#active, desired: version, phase: "fetching" });
    const refusal = await this.#context.deliver(plan.targets);
    if (refusal !== undefined) return this.#refuseForNow(refusal, version);
    await deployments.beginTrial(plan.set);
    await this.#try(plan.set);
    return "settled";
  }

  /** The committed set of this version keeps crashing: back to the one before it, unless another runs by now. */
  async rollBack(version: number, reason: string): Promise<void> {
    const { deployments, reporter } = this.#context;
    const { active, previous } = deployments.read();
    if (active?.version !== version || previous === undefined) return reporter.refresh();
    const outcome = this.#stampRollback(previous.version, version, reason);
    await deployments.revert(reason, outcome);
    await this.#run(previous);
    this.#tell(outcome);
    reporter.report({ deployment: previous.version, desired: version, phase: "rolled-back", reason });
  }

  get #active(): number {
    return this.#context.deployments.read().active?.version ?? 0;
  }

  async #run(set: CommittedSet): Promise<void> {
    const prepared = await this.#context.components.prepare(set);
    for (const [component, refusal] of prepared.refused)
      this.#context.reporter.event({ kind: "refusal", component, detail: refusal.seen, refusal });
    await this.#context.components.switchTo(prepared);
  }

  async #try(set: CommittedSet): Promise<void> {
    const { components, deployments, reporter } = this.#context;
    const prepared = await components.prepare(set);
    if (this.#isStopping) return;
    const [refusal] = prepared.refused.values();
    if (refusal !== undefined) {
      const outcome = reporter.stamp({ kind: "refusal", detail: refusal.seen, refusal });
      await deployments.failTrial(`${refusal.rule}: ${refusal.seen}`, outcome);
      this.#tell(outcome);
      return reporter.report({ deployment: this.#active, desired: set.version, phase: "refused", refusal });
    }
    reporter.report({ deployment: this.#active, desired: set.version, phase: "trial" });
    const end = await this.#runTrial(set, prepared);
    if (end.kind === "abandoned") return;
    if (end.kind === "failed") return this.#rollBackTrial(end.reason);
    const outcome = reporter.stamp({ kind: "committed", detail: `deployment ${set.version} is committed` });
    await deployments.commitTrial(outcome);
    await this.#context.onSettled();
    this.#tell(outcome);
    reporter.report({ deployment: set.version, desired: set.version, phase: "committed" });
  }

  async #runTrial(set: CommittedSet, prepared: PreparedSet): Promise<TrialEnd> {
    const ended = Promise.withResolvers<TrialEnd>();
    const stop = new AbortController();
    this.#trial = ended.resolve;
    try {
      await this.#context.components.switchTo(prepared);
      return await Promise.race([ended.promise, this.#proveHealthy(set, stop.signal)]);
    } catch (error) {
      return { kind: "failed", reason: describeError(error) };
    } finally {
      this.#trial = undefined;
      stop.abort();
    }
  }

  /** Healthy in time, up for the bake, and the broker reached with it. Rejects with what went wrong. */
  async #proveHealthy(set: CommittedSet, signal: AbortSignal): Promise<TrialEnd> {
    const { components, clock, reachBroker } = this.#context;
    const { withinMs, bakeMs } = planHealth(set);
    const late = clock.sleep(withinMs, signal).then(() => "late" as const);
    const outcome = await Promise.race([late, components.healthy()]);
    if (outcome === "late") return { kind: "failed", reason: `it was not healthy within ${withinMs / 1000} s` };
    // The race is over; an aborted sleep that nobody waits for is no failure.
    late.catch(() => undefined);
    await clock.sleep(bakeMs, signal);
    await reachBroker(withinMs);
    return { kind: "passed" };
  }

  async #rollBackTrial(reason: string): Promise<void> {
    const { deployments, components, reporter } = this.#context;
    const { active, trial } = deployments.read();
    const [deployment, desired] = [active?.version ?? 0, trial?.set.version ?? 0];
    const outcome = this.#stampRollback(deployment, desired, reason);
    await deployments.failTrial(reason, outcome);
    if (active === undefined) await components.switchTo({ components: [], refused: new Map() });
    else await this.#run(active);
    await this.#context.onSettled();
    this.#tell(outcome);
    reporter.report({ deployment, desired, phase: "rolled-back", reason });
  }

  #stampRollback(deployment: number, desired: number, reason: string): EventDocument {
    const back = deployment === 0 ? "nothing runs" : `deployment ${deployment} runs again`;
    return this.#context.reporter.stamp({
      kind: "rollback",
      detail: `deployment ${desired} failed: ${reason}; ${back}`,
    });
  }

  /** It is on the disk until the broker has it, so that a restart in between tells the same, to the byte, once more. */
  #tell(outcome: EventDocument): void {
    const { deployments, reporter, log } = this.#context;
    const forget = (): Promise<unknown> =>
      deployments.told(outcome).catch((error: unknown) => {
        log.error({ reason: describeError(error) }, "that an outcome was told cannot be noted; it is told again");
      });
    reporter.tell(outcome, forget);
  }

  /** A broker that was wiped says nothing about what should run; what is committed goes on. */
  #stayIdle(): "settled" {
    if (this.#active === 0) this.#context.reporter.report({ deployment: 0, desired: 0, phase: "idle" });
    else this.#context.log.warn({ deployment: this.#active }, "the director has nothing published for this gateway");
    return "settled";
  }

  /** Until something else is deployed, or the agent starts anew; room on the disk and in memory may come by itself. */
  #refuseEarly(refusal: Refusal, desired: number): "settled" | "try-later" {
    this.#refuse(refusal, desired);
    return isLasting(refusal) ? "settled" : "try-later";
  }

  #refuseForNow(refusal: Refusal, desired: number): "try-later" {
    this.#refuse(refusal, desired);
    return "try-later";
  }

  #refuse(refusal: Refusal, desired: number): void {
    const { reporter } = this.#context;
    const { current } = reporter;
    const isKnown = current.desired === desired && current.refusal?.seen === refusal.seen;
    if (isKnown && current.phase === "refused") return;
    reporter.event({ kind: "refusal", detail: refusal.seen, refusal });
    reporter.report({ deployment: this.#active, desired, phase: "refused", refusal });
  }

  /** What is desired is committed here. What rotted on the disk since is fetched again, and started. */
  async #keep({ deployment, targets }: VerifiedDeployment): Promise<"settled" | "try-later"> {
    const { deployments, isStored, deliver } = this.#context;
    const lost = [...targets.values()].filter(({ sha256 }) => !isStored(sha256));
    const refusal = lost.length === 0 ? undefined : await deliver(lost);
    if (refusal !== undefined) return this.#refuseForNow(refusal, deployment.version);
    const { active } = deployments.read();
    if (lost.length > 0 && active !== undefined) await this.#run(active);
    return this.#confirm(deployment.version);
  }

  /** What runs is what is desired: nothing changes but the report, if it said something else. */
  #confirm(version: number): "settled" {
    const { reporter } = this.#context;
    if (reporter.current.phase !== "committed" || reporter.current.desired !== version)
      reporter.report({ deployment: version, desired: version, phase: "committed" });
    return "settled";
  }

  /** A failed deployment that is still desired: the first report of why stands. */
  #keepRefused(refusal: Refusal, version: number): "settled" {
    const { reporter } = this.#context;
    if (reporter.current.desired !== version)
      reporter.report({ deployment: this.#active, desired: version, phase: "refused", refusal });
    return "settled";
  }
}

/** The longest times any component of the set asks for; an empty set has nothing to prove but that the broker is reached. */
function planHealth(set: CommittedSet): { readonly withinMs: number; readonly bakeMs: number } {
  const { components } = parseValue(deploymentSchema, set.deployment, { what: `deployment ${set.version}` });
  const healths = Object.values(components).map(({ health }) => health);
  const { healthWithinMs, bakeMs } = limits.deployment;
  return {
    withinMs: longest(healths.map(({ within }) => within ?? healthWithinMs)) ?? healthWithinMs,
    bakeMs: longest(healths.map(({ bake }) => bake ?? bakeMs)) ?? 0,
  };
}

function longest(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : Math.max(...times);
}
