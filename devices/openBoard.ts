// Makes a board from its file: simulated parts exist at once, real devices are opened when somebody asks for them.
import type { Board, PortDescription } from "./board.ts";
import type { BoardFile, GpioEntry, SerialEntry } from "./boardFile.ts";
import type { DeviceClock } from "./clock.ts";
import { DeviceError } from "./error.ts";
import type { GpioLine } from "./gpio/gpio.ts";
import type { GpioDriver } from "./gpio/linux/line.ts";
import type { SimulatedGpio } from "./gpio/simulated.ts";
import { createLender, wrapGpio, wrapSerial, wrapUdp } from "./lend.ts";
import type { SerialPort } from "./serial/serial.ts";
import type { SimulatedSerial } from "./serial/simulated.ts";
import { plugInParts } from "./simulated/plugInParts.ts";
import { noTrace, openTrace } from "./simulated/trace.ts";
import { openUdp } from "./udp/dgram.ts";

export interface BoardOptions {
  readonly clock: DeviceClock;
  /** Where the trace goes when the file asks for one; the file's own path otherwise. */
  readonly traceFile?: string;
}

/** A board with the levers of its simulated parts, for tests and demos. */
export interface OpenedBoard extends Board {
  readonly simulated: {
    readonly serial: ReadonlyMap<string, SimulatedSerial>;
    readonly gpio: ReadonlyMap<string, SimulatedGpio>;
  };
}

/** Touches no real device, so an adapter that is unplugged now fails only its own open. */
export async function openBoard(file: BoardFile, options: BoardOptions): Promise<OpenedBoard> {
  const { clock } = options;
  const trace = file.trace === undefined ? noTrace : openTrace(options.traceFile ?? file.trace, () => clock.nowMs());
  const simulated = plugInParts(file, clock, trace);
  const lender = createLender();
  const openRealGpio = createRealGpio(clock);
  let sockets = 0;

  const close = async (): Promise<void> => {
    await lender.close();
    simulated.stop();
    trace.close();
  };
  return {
    ports: describePorts(file),
    hardware: file.hardware,
    simulated,
    openSerial: async (name) => {
      const entry = findPort(file.serial, "serial", name);
      const open = (): Promise<SerialPort> => simulated.serial.get(name)?.open() ?? openRealSerial(entry);
      return lender.lend(`serial "${name}"`, open, wrapSerial);
    },
    openGpio: async (name) => {
      const entry = findPort(file.gpio, "gpio", name);
      const open = (): Promise<GpioLine> => simulated.gpio.get(name)?.open() ?? openRealGpio(name, entry);
      return lender.lend(`gpio "${name}"`, open, wrapGpio);
    },
    // Two sockets may both ask for any free port, so the system alone decides what is taken.
    openUdp: (bind) => lender.lend(`udp ${(sockets += 1)}`, () => openUdp(bind), wrapUdp),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function findPort<Entry>(ports: Readonly<Record<string, Entry>>, kind: string, name: string): Entry {
  const entry = Object.hasOwn(ports, name) ? ports[name] : undefined;
  if (entry !== undefined) return entry;
  const known = Object.keys(ports).join(", ") || "none";
  throw new DeviceError("unknown-port", `The board has no ${kind} port "${name}"; it has: ${known}.`);
}

/** The native packages are loaded with the first real port: a board of simulated parts runs without them. */
async function openRealSerial(entry: SerialEntry): Promise<SerialPort> {
  if ("simulated" in entry) throw new DeviceError("unsupported", "A simulated port has no device.");
  const { openLinuxSerial } = await import("./serial/linux.ts");
  const { path, ...framing } = entry;
  return openLinuxSerial(path, framing);
}

function createRealGpio(clock: DeviceClock): (name: string, entry: GpioEntry) => Promise<GpioLine> {
  let driver: Promise<GpioDriver> | undefined;
  const load = async (): Promise<GpioDriver> => {
    const [{ createGpioDriver }, { openSystemKernel }] = await Promise.all([
      import("./gpio/linux/line.ts"),
      import("./gpio/linux/kernel.ts"),
    ]);
    return createGpioDriver(openSystemKernel(), () => clock.monotonicNs());
  };
  return async (name, entry) => {
    if ("simulated" in entry) throw new DeviceError("unsupported", "A simulated port has no device.");
    driver ??= load();
    return (await driver).open(name, entry, entry);
  };
}

function describePorts(file: BoardFile): PortDescription[] {
  const serial = Object.entries(file.serial).map(([name, entry]): PortDescription => {
    const behind = "simulated" in entry ? `simulated ${entry.simulated}` : entry.path;
    return { kind: "serial", name, behind };
  });
  const gpio = Object.entries(file.gpio).map(([name, entry]): PortDescription => {
    const { direction } = entry;
    if ("simulated" in entry) return { kind: "gpio", name, direction, behind: `simulated ${entry.simulated}` };
    return { kind: "gpio", name, direction, behind: entry.line ?? `${entry.chip} ${entry.offset}` };
  });
  return [...serial, ...gpio];
}
