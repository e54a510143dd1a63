// Builds the import object: it starts empty and gets exactly the interfaces that were admitted.
import { limits } from "../../base/limits.ts";
import type { WorkerStart } from "../messages.ts";
import type { HostCalls } from "./calls.ts";
import { createGpioHost } from "./hosts/gpio.ts";
import { createReadingsHost } from "./hosts/readings.ts";
import { createSerialHost } from "./hosts/serial.ts";
import { createLineOutput, type LineSink } from "./hosts/stdio.ts";
import { createUdpHosts } from "./hosts/udp.ts";
import { createRateLimit } from "../../base/rateLimit.ts";
import type { HostInterface, Shim } from "./shim.ts";

export interface ImportContext {
  readonly shim: Shim;
  readonly calls: HostCalls;
  readonly start: WorkerStart;
  readonly stdout: LineSink;
  readonly stderr: LineSink;
  readonly droppedReadings: (count: number) => void;
}

type Factory = (context: ImportContext, shared: Shared) => HostInterface;
interface Shared {
  readonly cli: Readonly<Record<string, HostInterface>>;
  readonly filesystem: Readonly<Record<string, HostInterface>>;
  readonly udp: ReturnType<typeof createUdpHosts>;
}

const monotonicMs = (): number => performance.now();

const factories: Readonly<Record<string, Factory>> = {
  "wasi:io/error": ({ shim }) => shim.io.error,
  "wasi:io/poll": ({ shim }) => shim.io.poll,
  "wasi:io/streams": ({ shim }) => shim.io.streams,
  "wasi:clocks/monotonic-clock": ({ shim }) => shim.clocks.monotonicClock,
  "wasi:clocks/wall-clock": ({ shim }) => shim.clocks.wallClock,
  "wasi:random/random": ({ shim }) => boundRandom(shim.random.random, "getRandomBytes"),
  "wasi:random/insecure": ({ shim }) => boundRandom(shim.random.insecure, "getInsecureRandomBytes"),
  "wasi:random/insecure-seed": ({ shim }) => shim.random.insecureSeed,
  "wasi:cli/environment": fromCli("environment"),
  "wasi:cli/exit": fromCli("exit"),
  "wasi:cli/stdin": fromCli("stdin"),
  "wasi:cli/stdout": fromCli("stdout"),
  "wasi:cli/stderr": fromCli("stderr"),
  "wasi:cli/terminal-input": fromCli("terminalInput"),
  "wasi:cli/terminal-output": fromCli("terminalOutput"),
  "wasi:cli/terminal-stdin": fromCli("terminalStdin"),
  "wasi:cli/terminal-stdout": fromCli("terminalStdout"),
  "wasi:cli/terminal-stderr": fromCli("terminalStderr"),
  "wasi:filesystem/types": (_context, { filesystem }) => pick(filesystem, "types"),
  "wasi:filesystem/preopens": (_context, { filesystem }) => pick(filesystem, "preopens"),
  "wasi:config/store": ({ start }) => createConfigHost(start.config),
  "wasi:sockets/network": ({ shim }) => shim.sockets.network,
  "wasi:sockets/instance-network": ({ shim }) => shim.sockets.instanceNetwork,
  "wasi:sockets/udp": (_context, { udp }) => udp.udp,
  "wasi:sockets/udp-create-socket": (_context, { udp }) => udp.udpCreateSocket,
  "outstation:gateway/ports": () => ({}),
  "outstation:gateway/readings": ({ calls, start, droppedReadings }) => {
    const rate = createRateLimit(start.readingsPerSecond, monotonicMs);
    return createReadingsHost({ calls, rate, nowMs: () => Date.now(), dropped: droppedReadings });
  },
  "outstation:gateway/serial": ({ calls }) => createSerialHost(calls),
  "outstation:gateway/gpio": ({ calls }) => createGpioHost(calls),
};

/** Throws when an admitted interface has no host: admission and this table must name the same ones. */
export function createImports(context: ImportContext): Record<string, HostInterface> {
  const imports: Record<string, HostInterface> = {};
  const shared = createShared(context);
  for (const name of context.start.imports) {
    const factory = factories[name];
    if (factory === undefined) throw new Error(`no host for the admitted import ${name}`);
    imports[name] = factory(context, shared);
  }
  return imports;
}

/** Names of all interfaces this file can link, for the test that compares it with the table of offered ones. */
export function listLinkable(): readonly string[] {
  return Object.keys(factories);
}

function createShared({ shim, calls, start, stdout, stderr }: ImportContext): Shared {
  const rate = createRateLimit(start.logsPerSecond, monotonicMs);
  const [out, err] = [createLineOutput(stdout, rate), createLineOutput(stderr, rate)];
  // A stream for every call: the shim gives all of them the same one, and closes it when the guest drops the first.
  const cli = {
    ...shim.cli.createCli({ stdout: out, stderr: err }),
    stdout: { getStdout: () => shim.io.outputStreamCreate(out) },
    stderr: { getStderr: () => shim.io.outputStreamCreate(err) },
  };
  const filesystem = shim.filesystem.createFilesystem({ adapter: { getRoot: () => ({}) }, preopens: {} });
  return { cli, filesystem, udp: createUdpHosts(calls, shim) };
}

function createConfigHost(config: Readonly<Record<string, string>>): HostInterface {
  return {
    get: (key: string) => (Object.hasOwn(config, key) ? config[key] : undefined),
    getAll: () => Object.entries(config),
  };
}

/** The bytes are made outside the component's own memory: a call that asks for gigabytes of them must trap instead. */
function boundRandom(host: HostInterface, name: string): HostInterface {
  const make = host[name] as (count: bigint) => Uint8Array;
  const bounded = (count: bigint): Uint8Array => {
    if (count > BigInt(limits.component.callBytes)) throw new RangeError(`${count} random bytes are too many at once`);
    return make(count);
  };
  return { ...host, [name]: bounded };
}

function fromCli(name: string): Factory {
  return (_context, { cli }) => pick(cli, name);
}

function pick(interfaces: Readonly<Record<string, HostInterface>>, name: string): HostInterface {
  const found = interfaces[name];
  if (found === undefined) throw new Error(`the shim has no ${name}`);
  return found;
}
