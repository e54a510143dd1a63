// The only wiring: opens every part, joins them with plain functions, and closes them in the right order.
import type { Board } from "../../devices/board.ts";
import type { Clock } from "../base/clock.ts";
import type { Disk } from "../base/disk.ts";
import { describeError } from "../base/error.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { CommandDesk } from "../control/commandDesk.ts";
import { createAsk } from "../link/ask.ts";
import type { Link, MessageHandler } from "../link/link.ts";
import { createTopics, type GatewayTopics, type Topics } from "../protocol/topics.ts";
import { openCommands } from "./commands.ts";
import { ComponentSet } from "./componentSet.ts";
import type { GatewayConfig } from "./config.ts";
import { decideAfterCrash } from "./crashPolicy.ts";
import { createDelivery, createPrecheck } from "./delivery.ts";
import { createExecutor, type Executor } from "./executor.ts";
import { openGatewayLink } from "./gatewayLink.ts";
import type { Memory } from "./precheck.ts";
import { reachBroker } from "./reachBroker.ts";
import { Reconciler } from "./reconcile.ts";
import { createReporter, type Reporter } from "./reporter.ts";
import { createRepositories, type Repositories, type RepositoriesOptions } from "./repositories.ts";
import { collectCounters, createState, type LifeSigns } from "./stateDocument.ts";
import { findInstalled, openStores, pruneStores, type Stores } from "./stores.ts";
import { drainWhenOnline } from "./drain.ts";
import { createVoices, type Voices } from "./voice.ts";

export interface AgentOptions {
  readonly config: GatewayConfig;
  readonly stateDirectory: string;
  readonly password: string | undefined;
  readonly disk: Disk;
  readonly board: Board;
  /** Of this machine, as far as the agent may have it. */
  readonly memory: () => Memory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Called when the agent cannot go on in this process; whoever supervises it starts it again. */
  readonly onFatal: (error: unknown) => void;
}

/** A running agent. Dispose stops components, keeps what they reported, and says goodbye to the broker. */
export type Agent = AsyncDisposable;

/** Resolves when the committed set runs; everything that needs the network goes on from there by itself. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const agent = await Wiring.open(options);
  try {
    await agent.start();
  } catch (error) {
    // Its connection alone would keep the process alive, with nothing running in it.
    await agent[Symbol.asyncDispose]();
    throw error;
  }
  return agent;
}

class Wiring implements Agent {
  readonly #options: AgentOptions;
  readonly #stores: Stores;
  readonly #topics: Topics;
  readonly #own: GatewayTopics;
  readonly #bootId: string;
  readonly #link: Link;
  readonly #voices: Voices;
  readonly #components: ComponentSet;
  readonly #reporter: Reporter;
  readonly #linked: Omit<RepositoriesOptions, "installed"> & AgentOptions;
  readonly #repositories: Repositories;
  readonly #reconciler: Reconciler;
  readonly #executor: Executor;
  readonly #stop = new AbortController();
  #commands: CommandDesk | undefined;
  #draining: Promise<void> = Promise.resolve();
  /** The components that the retained state names. */
  #announced = "";

  static async open(options: AgentOptions): Promise<Wiring> {
    return new Wiring(options, await openStores(options.stateDirectory, options));
  }

  private constructor(options: AgentOptions, stores: Stores) {
    const { config, random } = options;
    this.#options = options;
    this.#stores = stores;
    this.#topics = createTopics(config.factory.root);
    this.#own = this.#topics.gateway(config.gateway);
    this.#bootId = random.uuid();
    this.#voices = this.#createVoices();
    this.#components = this.#createComponents();
    this.#reporter = this.#createReporter();
    this.#link = this.#openLink();
    const ask = createAsk({ ...options, link: this.#link, topics: this.#own });
    this.#linked = { ...options, link: this.#link, topics: this.#topics, ask, signal: this.#stop.signal };
    this.#repositories = createRepositories({ ...this.#linked, installed: () => findInstalled(stores) });
    this.#reconciler = this.#createReconciler();
    this.#executor = createExecutor({ reconcile: () => this.#reconciler.reconcile(), ...options });
  }

  /** What waits in the broker's session arrives right after the connect, so every handler is in place before it. */
  async start(): Promise<void> {
    const { log } = this.#options;
    const commands = openCommands({
      ...this.#options,
      clock: this.#repositories.clock,
      gateway: this.#options.config.gateway,
      directory: this.#options.stateDirectory,
      operators: () => this.#stores.operators.read(),
      components: this.#components,
      voices: this.#voices,
      publish: (result) => this.#publish(this.#own.result(result.command), result),
      onRefusal: (refusal) => this.#reporter.event({ kind: "refusal", detail: refusal.seen, refusal }),
    });
    const booted = commands.then(async (desk) => {
      this.#commands = desk;
      await this.#reconciler.runCommitted();
    });
    this.#subscribe(this.#own.commands, async (_topic, token) => {
      await booted;
      await this.#commands?.receive(token);
    });
    this.#subscribe(this.#own.director("timestamp.json"), (_topic, payload) => {
      this.#repositories.heard.hear(payload);
      this.#executor.nudge();
    });
    this.#link.onOffline(() => this.#repositories.heard.forget());
    // First in its queue, so that no deployment is looked at before the committed set runs.
    this.#executor.run(() => booted.then(() => this.#reconciler.resumeTrial()));
    await booted;
    this.#link.onOnline(() => this.#comeOnline());
    if (this.#link.online) this.#comeOnline();
    this.#reporter.event({ kind: "boot", detail: `boot ${this.#bootId}` });
    log.info({ gateway: this.#options.config.gateway, bootId: this.#bootId }, "the committed set runs");
    const { telemetry } = this.#stores;
    const draining = { telemetry, link: this.#link, topics: this.#own, clock: this.#options.clock };
    // The outbox itself failed: what is on disk is whole, and only a new process can go on from there.
    this.#draining = drainWhenOnline(draining, this.#stop.signal).catch(this.#options.onFatal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#reconciler.abandonTrial();
    await this.#executor.stop();
    // How the components were, not that they were told to stop.
    await this.#stores.reported.close();
    await this.#components.stop();
    await this.#stores.telemetry.close();
    await this.#draining;
    await this.#link.close();
    await this.#stores.outbox[Symbol.asyncDispose]();
  }

  #subscribe(filter: string, handler: MessageHandler): void {
    this.#link.subscribe(filter, handler).catch((error: unknown) => {
      this.#options.log.error(
        { filter, reason: describeError(error) },
        "the broker refuses a topic this gateway needs",
      );
    });
  }

  #comeOnline(): void {
    this.#reporter.refresh();
    void this.#commands?.flush();
    this.#executor.nudge();
    // What was refused by a wrong clock is looked at again.
    void this.#repositories.clock.ask().then((isCorrected) => isCorrected && this.#executor.nudge());
  }

  #publish(topic: string, document: unknown, retain = false): Promise<void> {
    return this.#link.publish({ topic, payload: JSON.stringify(document), retain });
  }

  #createVoices(): Voices {
    const { clock, log } = this.#options;
    const publish: Parameters<typeof createVoices>[0]["publish"] = (component, document) => {
      this.#publish(this.#own.log(component), document).catch((error: unknown) =>
        log.debug({ error }, "a log line was not published; the component's tail has it"),
      );
    };
    return createVoices({ clock, log, publish });
  }

  #createComponents(): ComponentSet {
    const { store, cache, telemetry, deployments } = this.#stores;
    return new ComponentSet({
      ...this.#options,
      store,
      cache,
      report: (component, stream, readings) => telemetry.report(component, stream, readings),
      voice: (component) => this.#voices.of(component),
      onChange: () => this.#reporter.refresh(),
      onCrash: (component, end, recentCrashes) => {
        const last = this.#voices
          .tail(component)
          .slice(-5)
          .map(({ line }) => line);
        this.#reporter.event({ kind: "trap", component, detail: [end.reason, ...last].join("\n") });
        return decideAfterCrash(component, end, recentCrashes, {
          read: () => deployments.read(),
          failTrial: this.#reconciler.isTrial ? (reason) => this.#reconciler.failTrial(reason) : undefined,
          rollBack: (version, reason) => this.#executor.run(() => this.#reconciler.rollBack(version, reason)),
        });
      },
    });
  }

  #createReporter(): Reporter {
    const { config, clock, log } = this.#options;
    return createReporter({
      gateway: config.gateway,
      bootId: this.#bootId,
      clock,
      log,
      describe: () => this.#components.describe(),
      keep: (document) => this.#stores.reported.keep(document),
      publishReported: async (document) => {
        await this.#publish(this.#own.reported, document, true);
        await this.#renewState();
      },
      publishEvent: (event) => this.#publish(this.#own.event, event),
    });
  }

  /** The birth names what ran at the connect; what runs now is told when it differs. */
  async #renewState(): Promise<void> {
    const state = createState(true, this.#lifeSigns());
    const components = state.components.join();
    if (components === this.#announced) return;
    await this.#publish(this.#own.state, state, true);
    this.#announced = components;
  }

  #createReconciler(): Reconciler {
    const { clock, log } = this.#options;
    const { deployments, operators } = this.#stores;
    return new Reconciler({
      deployments,
      components: this.#components,
      reporter: this.#reporter,
      clock,
      log,
      refresh: this.#repositories.refresh,
      check: createPrecheck({
        ...this.#options,
        stores: this.#stores,
        running: () => Object.keys(this.#components.describe()).length,
      }),
      deliver: createDelivery({
        ...this.#linked,
        stores: this.#stores,
        onProgress: (receivedBytes, totalBytes) => this.#reporter.progress(receivedBytes, totalBytes),
      }),
      isStored: (sha256) => this.#stores.store.has(sha256),
      onVerified: (verified) => operators.replace(verified.operators),
      onSettled: () => pruneStores(this.#stores),
      reachBroker: (withinMs) => reachBroker(this.#link, () => this.#reporter.prove(), { clock, withinMs }),
    });
  }

  #openLink(): Link {
    const { gateway } = this.#options.config;
    return openGatewayLink({
      ...this.#options,
      topic: this.#own.state,
      will: createState(false, { gateway, bootId: this.#bootId, components: {}, counters: {} }),
      birth: () => {
        const state = createState(true, this.#lifeSigns());
        this.#announced = state.components.join();
        return state;
      },
      goodbye: () => createState(false, this.#lifeSigns()),
    });
  }

  #lifeSigns(): LifeSigns {
    const { gateway } = this.#options.config;
    const counters = collectCounters({
      ...this.#stores,
      traffic: this.#link.traffic,
      dropped: {
        events: this.#reporter.dropped,
        refusals: this.#commands?.untold ?? 0,
        ...this.#voices.dropped,
      },
    });
    return { gateway, bootId: this.#bootId, components: this.#components.describe(), counters };
  }
}
