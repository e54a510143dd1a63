// Starts brokers for tests: mosquitto as a child process and aedes in this one, each restartable on its port.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { Aedes } from "aedes";

export interface Broker extends AsyncDisposable {
  readonly url: string;
  /** Stops it hard: connections drop and what it held in memory is gone. */
  stop(): Promise<void>;
  /** Starts it again on the same port; call after `stop`. */
  start(): Promise<void>;
  /** From now until `stop` it keeps its connections and answers nothing. */
  pause(): void;
}

/** Undefined when mosquitto can be run here, else why it cannot. */
export function mosquittoMissing(): string | undefined {
  const tried = spawnSync(mosquittoPath(), ["-h"]);
  return tried.error === undefined ? undefined : `mosquitto is not installed (${tried.error.message})`;
}

/** `extra` are more lines of its configuration, such as TLS files or who may connect; `scheme` the one of its URL. */
export async function startMosquitto(extra = "", scheme = "mqtt"): Promise<Broker> {
  const directory = mkdtempSync(join(tmpdir(), "outstation-mosquitto-"));
  const port = await freePort();
  const config = join(directory, "mosquitto.conf");
  const anonymous = extra.includes("allow_anonymous") ? "" : "allow_anonymous true\n";
  writeFileSync(
    config,
    `listener ${port} 127.0.0.1\n${anonymous}persistence false\nset_tcp_nodelay true\nuser ${userInfo().username}\n${extra}\n`,
  );
  let child: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
    child = undefined;
  };
  const start = async (): Promise<void> => {
    child = spawn(mosquittoPath(), ["-c", config], { stdio: "ignore" });
    await untilAccepting(port);
  };
  await start();
  const dispose = async (): Promise<void> => {
    await stop();
    rmSync(directory, { recursive: true, force: true });
  };
  const pause = (): void => void child?.kill("SIGSTOP");
  return { url: `${scheme}://127.0.0.1:${port}`, stop, start, pause, [Symbol.asyncDispose]: dispose };
}

/** MQTT 3.1.1 only: it refuses version 5. */
export async function startAedes(): Promise<Broker> {
  const port = await freePort();
  let running: { aedes: Aedes; server: Server; sockets: Set<Socket> } | undefined;
  const stop = async (): Promise<void> => {
    if (running === undefined) return;
    const { aedes, server, sockets } = running;
    running = undefined;
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
    await new Promise<void>((resolve) => aedes.close(resolve));
  };
  const start = async (): Promise<void> => {
    const aedes = await Aedes.createBroker();
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      socket.setNoDelay(true);
      aedes.handle(socket);
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    running = { aedes, server, sockets };
  };
  await start();
  const pause = (): void => {
    if (running !== undefined) running.aedes.authorizePublish = () => undefined;
  };
  return { url: `mqtt://127.0.0.1:${port}`, stop, start, pause, [Symbol.asyncDispose]: stop };
}

function mosquittoPath(): string {
  return process.env["MOSQUITTO"] ?? "/usr/sbin/mosquitto";
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}

async function untilAccepting(port: number): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const accepted = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (accepted) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`nothing accepts connections on port ${port}`);
}
