// The serial ports that the contract runs on: each rig gives a port and holds its far end.
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { openLinuxSerial } from "../../devices/serial/linux.ts";
import type { SerialPort } from "../../devices/serial/serial.ts";
import { createSimulatedSerial } from "../../devices/serial/simulated.ts";

export interface SerialRig extends AsyncDisposable {
  open(): Promise<SerialPort>;
  /** Sends from the far end to the port. */
  send(bytes: Uint8Array): void;
  /** What the port wrote, once the far end has seen at least `count` bytes of it. */
  heard(count: number): Promise<Buffer>;
  /** Takes the device away for good. */
  unplug(): Promise<void>;
}

export interface PtyRig extends SerialRig {
  /** The far end stands still: it takes nothing any more. */
  freeze(): void;
}

/** Undefined when socat can be run here, else why it cannot. */
export const socatMissing = spawnSync("socat", ["-V"]).status === 0 ? undefined : "socat is not installed";

const framing = { baudRate: 115_200, dataBits: 8, stopBits: 1, parity: "none" } as const;

export async function startSimulatedRig(): Promise<SerialRig> {
  const ear = createEar();
  let send = (_bytes: Uint8Array): void => {};
  const device = createSimulatedSerial("probe", (toPort) => {
    send = toPort;
    return { receive: ear.hear, stop() {} };
  });
  return {
    open: device.open,
    send: (bytes) => send(bytes),
    heard: ear.heard,
    unplug: async () => device.unplug(),
    [Symbol.asyncDispose]: async () => device.unplug(),
  };
}

/** A pseudo-terminal; its far end is the standard input and output of a socat process. */
export async function startPtyRig(): Promise<PtyRig> {
  const directory = await mkdtemp(join(tmpdir(), "outstation-pty-"));
  const path = join(directory, "port");
  const socat = spawn("socat", ["-d", "-d", `PTY,link=${path},raw,echo=0`, "STDIO"]);
  const ear = createEar();
  socat.stdout.on("data", ear.hear);
  await transferStarts(socat.stderr);
  const unplug = async (): Promise<void> => {
    if (socat.exitCode !== null || socat.signalCode !== null) return;
    const exited = once(socat, "exit");
    socat.kill("SIGKILL");
    await exited;
  };
  return {
    open: () => openLinuxSerial(path, framing),
    send: (bytes) => void socat.stdin.write(bytes),
    heard: ear.heard,
    unplug,
    freeze: () => void socat.kill("SIGSTOP"),
    [Symbol.asyncDispose]: async () => {
      await unplug();
      await rm(directory, { recursive: true });
    },
  };
}

/** Two pseudo-terminals joined back to back, and a program that owns both; resolves with what the program prints. */
export async function runOnPtyPair(program: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "outstation-pair-"));
  const [near, far] = [join(directory, "near"), join(directory, "far")];
  const socat = spawn("socat", ["-d", "-d", `PTY,link=${near},raw,echo=0`, `PTY,link=${far},raw,echo=0`]);
  try {
    await transferStarts(socat.stderr);
    const { stdout } = await promisify(execFile)(process.execPath, [program, near, far], { timeout: 15_000 });
    return stdout;
  } finally {
    const exited = once(socat, "exit");
    socat.kill("SIGKILL");
    await exited;
    await rm(directory, { recursive: true });
  }
}

async function transferStarts(stderr: Readable): Promise<void> {
  let said = "";
  for await (const chunk of stderr.iterator({ destroyOnReturn: false })) {
    said += String(chunk);
    if (said.includes("starting data transfer loop")) break;
  }
  stderr.resume();
}

function createEar(): { hear(bytes: Uint8Array): void; heard(count: number): Promise<Buffer> } {
  let all = Buffer.alloc(0);
  let wake = (): void => {};
  return {
    hear: (bytes) => {
      all = Buffer.concat([all, bytes]);
      wake();
    },
    heard: async (count) => {
      while (all.length < count) await new Promise<void>((resolve) => (wake = resolve));
      return all;
    },
  };
}
