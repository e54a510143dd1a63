// The update path of the agent over any disk and any broker: all of it is the product's but the components, which only pretend to run.
import { join } from "node:path";
import type { PreparedSet } from "../../src/agent/componentSet.ts";
import { deliver } from "../../src/agent/deliver.ts";
import { openOperators } from "../../src/agent/operators.ts";
import { Reconciler } from "../../src/agent/reconcile.ts";
import { createReporter } from "../../src/agent/reporter.ts";
import { createRetainedFetch } from "../../src/agent/retainedFetch.ts";
import type { Clock } from "../../src/base/clock.ts";
import type { Disk } from "../../src/base/disk.ts";
import { silentLog } from "../../src/base/log.ts";
import type { Link } from "../../src/link/link.ts";
import type { Factory } from "../../src/protocol/factory.ts";
import { refuse } from "../../src/protocol/refusal.ts";
import type { EventDocument, ReportedDocument } from "../../src/protocol/reports.ts";
import { createTopics } from "../../src/protocol/topics.ts";
import { openComponentStore } from "../../src/store/componentStore.ts";
import { openDeploymentStore } from "../../src/store/deploymentStore.ts";
import { refreshTrust } from "../../src/trust/refresh.ts";
import { openDelivery } from "./delivery.ts";
import { createEagerClock } from "./manualClock.ts";
import { createMapLink } from "./mapLink.ts";

export interface UpdateRigOptions {
  readonly disk: Disk;
  readonly stateDirectory: string;
  readonly factory: Pick<Factory, "imageRoot" | "directorRoot" | "root">;
  readonly gateway: string;
  readonly nowMs: number;
  readonly bootId: string;
  /** The retained message of a topic, undefined when there is none; or a whole link. */
  readonly fetch: ((topic: string) => Promise<Uint8Array | undefined>) | Link;
  /** For the waits of a download, when it goes over a whole link. */
  readonly clock?: Clock;
  /** Resolves when the broker has it. */
  readonly publish: (document: EventDocument | ReportedDocument) => Promise<void>;
  /** Called when a deployment was verified, before anything is done about it. */
  readonly onVerified?: (version: number) => void;
  /** Components of this release crash in their trial. */
  readonly crashing?: string;
}

export interface UpdateRig {
  readonly reconciler: Reconciler;
  /** Name to sha-256 of what pretends to run; undefined in place of what should and cannot. */
  readonly running: ReadonlyMap<string, string | undefined>;
  readonly version: number;
  refresh(): ReturnType<typeof refreshTrust>;
  /** Boots as the agent does and does what the broker says; resolves when nothing is left to do or say. */
  update(): Promise<"settled" | "try-later">;
  /** Resolves when everything that was to be told was acknowledged. */
  told(): Promise<void>;
}

export async function openUpdateRig(options: UpdateRigOptions): Promise<UpdateRig> {
  const { disk, stateDirectory: directory, factory, gateway, nowMs } = options;
  const eager = createEagerClock();
  const clock = { ...eager, nowMs: () => nowMs };
  const log = silentLog;
  const topics = createTopics(factory.root);
  const link = typeof options.fetch === "function" ? createMapLink(options.fetch) : options.fetch;
  const store = await openComponentStore(disk, join(directory, "components"), log);
  const deployments = await openDeploymentStore(disk, join(directory, "deployments"), { clock, log });
  const operators = await openOperators(disk, directory, log);
  const components = createPretence(store, options.crashing);
  const reporter = createReporter({
    gateway,
    bootId: options.bootId,
    clock,
    log,
    describe: () => ({}),
    publishReported: options.publish,
    publishEvent: options.publish,
    keep: () => undefined,
  });
  const { signal } = new AbortController();
  const fetchRetained = createRetainedFetch({ fetchTopic: link.fetch, clock, signal });
  const delivery = await openDelivery({
    disk,
    directory: join(directory, "downloads"),
    link,
    root: factory.root,
    ...(options.clock && { clock: options.clock }),
  });
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const refresh: UpdateRig["refresh"] = () =>
    refreshTrust({
      disk,
      directory: join(directory, "trust"),
      factory: { imageRoot: encode(factory.imageRoot), directorRoot: encode(factory.directorRoot) },
      gateway,
      fetchDirector: fetchRetained({ topicOf: topics.gateway(gateway).director }),
      fetchImage: fetchRetained({ topicOf: topics.image }),
      nowMs,
      log,
    });
  const reconciler = new Reconciler({
    deployments,
    components,
    reporter,
    clock,
    log,
    refresh,
    check: async () => undefined,
    isStored: (sha256) => store.has(sha256),
    deliver: async (targets) => {
      for (const target of targets) {
        const refusal = await deliver(target, { store, log, ...delivery });
        if (refusal !== undefined) return refusal;
      }
      return undefined;
    },
    onVerified: async (verified) => {
      options.onVerified?.(verified.deployment.version);
      await operators.replace(verified.operators);
    },
    onSettled: async () => {
      const { active, previous } = deployments.read();
      const kept = [active, previous].flatMap((set) => Object.values(set?.components ?? {}));
      await store.prune(new Set(kept.map(({ sha256 }) => sha256)));
    },
    reachBroker: () => reporter.prove(),
  });
  return {
    reconciler,
    running: components.running,
    get version() {
      return deployments.read().active?.version ?? 0;
    },
    refresh,
    update: async () => {
      await reconciler.runCommitted();
      await reconciler.resumeTrial();
      const end = await reconciler.reconcile();
      await reporter.flush();
      return end;
    },
    told: () => reporter.flush(),
  };
}

/** Stands for the component set: what it "runs" is read from the store and hashed, as the real one does. */
function createPretence(store: Awaited<ReturnType<typeof openComponentStore>>, crashing: string | undefined) {
  const running = new Map<string, string | undefined>();
  const sets = new WeakMap<PreparedSet, ReadonlyMap<string, string | undefined>>();
  let isCrashing = false;
  return {
    running,
    prepare: async (set: Parameters<ConstructorParameters<typeof Reconciler>[0]["components"]["prepare"]>[0]) => {
      const found = new Map<string, string | undefined>();
      const refused = new Map<string, ReturnType<typeof refuse>>();
      for (const [name, { sha256 }] of Object.entries(set.components)) {
        const path = await store.find(sha256);
        found.set(name, path && sha256);
        if (path === undefined) refused.set(name, refuse("delivery.missing", `${name} is gone`, "Deploy it again."));
      }
      const prepared: PreparedSet = { components: [], refused };
      sets.set(prepared, found);
      isCrashing = Object.values(set.components).some(({ release }) => release === crashing);
      return prepared;
    },
    switchTo: async (prepared: PreparedSet) => {
      running.clear();
      for (const [name, sha256] of sets.get(prepared) ?? []) running.set(name, sha256);
    },
    healthy: async () => {
      if (isCrashing) throw new Error("boiler: it trapped");
    },
  };
}
