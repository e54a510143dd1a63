// A whole gateway inside a test: the real agent on a simulated board, a real broker, and an operator who deploys to it.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { startEmbeddedBroker } from "../../demo/parts/broker.ts";
import { startGate, type Gate } from "../../demo/parts/gate.ts";
import { systemDeviceClock } from "../../devices/clock.ts";
import { openBoard, type OpenedBoard } from "../../devices/openBoard.ts";
import { parseBoardFile } from "../../devices/boardFile.ts";
import { buildComponent } from "../../examples/build.ts";
import type { Memory } from "../../src/agent/precheck.ts";
import { startAgent, type Agent } from "../../src/agent/agent.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { systemRandom } from "../../src/base/random.ts";
import { deployComponents } from "../../src/operator/deployComponents.ts";
import { publishDirector, publishRelease } from "../../src/operator/publish.ts";
import { addRelease } from "../../src/operator/repository/addRelease.ts";
import { createRepositories } from "../../src/operator/repository/create.ts";
import { sendCommand } from "../../src/operator/sendCommand.ts";
import { openSession } from "../../src/operator/session.ts";
import { initWorkspace } from "../../src/operator/workspace.ts";
import type { CommandResult } from "../../src/protocol/command.ts";
import type { Needs } from "../../src/protocol/release.ts";
import type { EventDocument, ReportedDocument, StateDocument } from "../../src/protocol/reports.ts";
import { openNodeDisk } from "../../src/store/nodeDisk.ts";
import { createTemporaryDirectory } from "./temporaryDirectory.ts";

const gateway = "g-1";
const mebibyte = 1024 ** 2;
const time = { clock: systemClock, random: systemRandom };
const guest = join(import.meta.dirname, "guest");

export interface AgentRig extends AsyncDisposable {
  /** The operator's workspace. */
  readonly fleet: string;
  readonly brokerUrl: string;
  readonly stateDirectory: string;
  /** What the agent is told of its machine; may be changed at any time. */
  readonly machine: { freeDiskBytes: number; memory: Memory };
  /** Every topic or filter anybody subscribed to, in order. */
  readonly subscribed: readonly string[];
  /** Between the agent and the broker; the operator is not behind it. */
  readonly gate: Gate;
  /** The board of the agent that runs now. */
  readonly board: OpenedBoard;
  /** Every report and event since the start, oldest first. */
  readonly reports: readonly ReportedDocument[];
  readonly events: readonly EventDocument[];
  /** Every state since the start, oldest first. */
  readonly states: readonly StateDocument[];
  /** What the agents logged as info or error. */
  readonly said: readonly string[];
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Publishes the test component as guest@<version>, which differs in what it needs. */
  release(version: string, needs: Needs): Promise<void>;
  /** Signs and publishes a deployment; does not wait for it. */
  deploy(components: object): Promise<void>;
  /** Resolves with the first report since `after` that the predicate takes. */
  until(predicate: (reported: ReportedDocument) => boolean, after?: number): Promise<ReportedDocument>;
  command(component: string, method: string): Promise<CommandResult>;
}

/** Two releases of the test component, guest@1.0.0 and guest@1.1.0, that differ in their bytes alone. */
export async function createAgentRig(): Promise<AgentRig> {
  await using cleanup = new AsyncDisposableStack();
  const { path } = cleanup.use(await createTemporaryDirectory());
  const broker = await startEmbeddedBroker();
  cleanup.defer(() => broker.stop());
  const gate = await startGate(broker.url);
  cleanup.defer(() => gate.stop());
  const workspace = await initWorkspace(join(path, "fleet"), { broker: broker.url, root: "t", dev: true, ...time });
  const factory = await createRepositories(workspace);
  const session = cleanup.use(await openSession(workspace.settings, time));
  for (const version of ["1.0.0", "1.1.0"]) {
    await addRelease(workspace, { component: "guest", version, wasmBytes: await buildGuest(version) });
    await publishRelease(workspace, { component: "guest", version }, session.link);
  }
  const stateDirectory = join(path, "state");
  const machine = {
    freeDiskBytes: 1024 * mebibyte,
    memory: { totalBytes: 1024 * mebibyte, availableBytes: 1024 * mebibyte },
  };
  const reports: ReportedDocument[] = [];
  const events: EventDocument[] = [];
  const states: StateDocument[] = [];
  const said: string[] = [];
  const say = (_fields: unknown, message: string): void => void said.push(message);
  const looking = new Set<() => void>();
  const topics = session.topics.gateway(gateway);
  await session.link.subscribe(topics.reported, (_topic, payload) => {
    reports.push(JSON.parse(new TextDecoder().decode(payload)) as ReportedDocument);
    for (const look of looking) look();
  });
  await session.link.subscribe(topics.state, (_topic, payload) => {
    states.push(JSON.parse(new TextDecoder().decode(payload)) as StateDocument);
  });
  await session.link.subscribe(topics.event, (_topic, payload) => {
    events.push(JSON.parse(new TextDecoder().decode(payload)) as EventDocument);
  });
  const boardFile = parseBoardFile(JSON.stringify({ gpio: { relay: { simulated: "relay", direction: "out" } } }));
  let running: { readonly agent: Agent; readonly board: OpenedBoard } | undefined;
  const stop = async (): Promise<void> => {
    const stopping = running;
    running = undefined;
    await stopping?.agent[Symbol.asyncDispose]();
    await stopping?.board.close();
  };
  cleanup.defer(stop);
  const resources = cleanup.move();
  return {
    fleet: workspace.directory,
    brokerUrl: broker.url,
    stateDirectory,
    machine,
    subscribed: broker.subscribed,
    gate,
    reports,
    events,
    states,
    said,
    get board() {
      if (running === undefined) throw new Error("the agent does not run");
      return running.board;
    },
    start: async () => {
      const board = await openBoard(boardFile, { clock: systemDeviceClock });
      const agent = await startAgent({
        config: { gateway, factory, board: "", broker: gate.url, protocol: "3.1.1" },
        stateDirectory,
        password: undefined,
        disk: { ...(await openNodeDisk(stateDirectory)), freeBytes: async () => machine.freeDiskBytes },
        board,
        memory: () => machine.memory,
        log: { ...silentLog, info: say, error: say },
        onFatal: (error) => void said.push(`fatal: ${String(error)}`),
        ...time,
      });
      running = { agent, board };
    },
    stop,
    release: async (version, needs) => {
      await addRelease(workspace, { component: "guest", version, wasmBytes: await buildGuest("1.0.0"), needs });
      await publishRelease(workspace, { component: "guest", version }, session.link);
    },
    deploy: async (components) => {
      const text = new TextEncoder().encode(JSON.stringify({ components }));
      await deployComponents(workspace, gateway, { kind: "document", text, source: "test" });
      await publishDirector(workspace, gateway, session.link);
    },
    until: (predicate, after = 0) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = reports.slice(after).find(predicate);
          if (found === undefined) return;
          looking.delete(look);
          resolve(found);
        };
        looking.add(look);
        look();
      }),
    command: (component, method) =>
      sendCommand(workspace, session, { gateway, component, method, lifetimeMs: 20_000 }, time),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

const built = new Map<string, Promise<Uint8Array>>();

/** Each version once for all tests of a file. */
function buildGuest(version: string): Promise<Uint8Array> {
  const build = async (): Promise<Uint8Array> => {
    const source = await readFile(join(guest, "guest.ts"), "utf8");
    return buildComponent({
      source: `${source}\n// ${version}\nexport const version = "${version}";\n`,
      witDirectory: guest,
    });
  };
  const building = built.get(version) ?? build();
  built.set(version, building);
  return building;
}
