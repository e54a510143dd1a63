// Everything a demo run needs, in one temporary folder: broker, fleet workspace, gateway process, observer, UDP listener.
import { createSocket, type Socket } from "node:dgram";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildExample } from "../../examples/build.ts";
import { startEmbeddedBroker, type Broker } from "./broker.ts";
import { startGate, type Gate } from "./gate.ts";
import { observe, type Observer } from "./observer.ts";
import { builtPrograms, run, startDaemon, type Daemon, type Outcome, type Programs } from "./processes.ts";

export const gateway = "pump-7";

export interface World {
  readonly directory: string;
  readonly broker: Broker;
  /** Between the broker and the gateway. */
  readonly gate: Gate;
  readonly programs: Programs;
  readonly observer: Observer;
  /** Datagrams that reached the listener, as text. */
  readonly datagrams: readonly string[];
  readonly udpPort: number;
  daemon: Daemon;
  /** Runs `outstation …` in the fleet's workspace. Rejects with its words when it fails, unless a code is expected. */
  outstation(args: readonly string[], expectedCode?: number): Promise<Outcome>;
  /** Builds a version of the boiler and releases it. */
  release(version: string, edit?: (source: string) => string): Promise<{ readonly lengthBytes: number }>;
  /** Lines of the simulated board's trace. */
  trace(): Promise<readonly { readonly port: string; readonly level?: boolean }[]>;
  startGateway(): void;
  stop(keepFiles: boolean): Promise<void>;
}

export interface WorldOptions {
  readonly programs?: Programs;
  readonly startBroker?: () => Promise<Broker>;
}

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const { programs = builtPrograms, startBroker = startEmbeddedBroker } = options;
  const directory = await mkdtemp(join(tmpdir(), "outstation-demo-"));
  await mkdir(join(directory, "fleet"));
  const broker = await startBroker();
  const gate = await startGate(broker.url);
  const listener = await listenUdp();
  const outstation = async (args: readonly string[], expectedCode = 0): Promise<Outcome> => {
    const outcome = await run(programs.outstation, [...args, "--dir", join(directory, "fleet")]);
    if (outcome.code !== expectedCode)
      throw new Error(`outstation ${args.join(" ")} ended with ${outcome.code}: ${outcome.stderr}${outcome.stdout}`);
    return outcome;
  };
  await outstation(["init", "--broker", broker.url, "--dev"]);
  await setUpGateway(programs, directory, gate);
  const stateDirectory = join(directory, gateway);
  const logFile = join(directory, "outstationd.log");
  const world: World = {
    directory,
    broker,
    gate,
    programs,
    observer: await observe(broker.url, gateway),
    datagrams: listener.received,
    udpPort: listener.port,
    daemon: startDaemon(programs.outstationd, stateDirectory, logFile),
    outstation,
    release: async (version, edit) => {
      const component = await buildExample("boiler", edit);
      const file = join(directory, `boiler-${version}.wasm`);
      await writeFile(file, component);
      await outstation(["release", `boiler@${version}`, file]);
      return { lengthBytes: component.length };
    },
    trace: async () => parseLines(await readFile(join(directory, "trace.ndjson"), "utf8").catch(() => "")),
    startGateway: () => {
      world.daemon = startDaemon(programs.outstationd, stateDirectory, logFile);
    },
    stop: async (keepFiles) => {
      world.daemon.kill("SIGTERM");
      await world.daemon.exited;
      await world.observer.close();
      listener.socket.close();
      gate.stop();
      await broker.stop();
      if (!keepFiles) await rm(directory, { recursive: true, force: true });
    },
  };
  return world;
}

/** The board: a thermometer that answers on a serial line and a relay, both simulated. */
async function setUpGateway(programs: Programs, directory: string, gate: Gate): Promise<void> {
  const board = {
    serial: { probe: { simulated: "line-thermometer", options: { seed: 7, celsius: 61 } } },
    gpio: { relay: { simulated: "relay", direction: "out" } },
    trace: join(directory, "trace.ndjson"),
  };
  const boardFile = join(directory, "board.json");
  await writeFile(boardFile, JSON.stringify(board, undefined, 2));
  const factory = join(directory, "fleet", "factory.json");
  const args = ["setup", "--id", gateway, "--factory", factory, "--board", boardFile, "--broker", gate.url];
  const outcome = await run(programs.outstationd, [...args, "--state", join(directory, gateway)]);
  if (outcome.code !== 0) throw new Error(outcome.stderr);
}

async function listenUdp(): Promise<{ socket: Socket; port: number; received: string[] }> {
  const socket = createSocket("udp4");
  const received: string[] = [];
  socket.on("message", (message) => received.push(message.toString()));
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return { socket, port: socket.address().port, received };
}

function parseLines(text: string): { port: string; level?: boolean }[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { port: string; level?: boolean });
}
