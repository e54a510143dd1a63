// The one table of what this agent offers components: interfaces, versions, the power each needs, which functions wait.

import { ownEntry } from "./ownEntry.ts";
import { type InterfaceName, parseInterfaceName } from "./shape.ts";

/** Powers that reach out of the sandbox; each must be granted by the deployment. */
export type Power = "serial" | "gpio" | "udp";

export interface OfferedInterface {
  /** Versions that link; a component built against an older minor still does. */
  readonly versions: RegExp;
  /** Undefined: reaches nothing outside the component's own sandbox. */
  readonly power?: Power;
  /** Functions that may suspend the component (JSPI), by their WIT names. */
  readonly suspends?: readonly string[];
}

const wasi02 = /^0\.2\.\d+$/;
const gateway = /^0\.1\.\d+$/;

export const offeredInterfaces: Readonly<Record<string, OfferedInterface>> = {
  "wasi:io/error": { versions: wasi02 },
  "wasi:io/poll": { versions: wasi02, suspends: ["[method]pollable.block", "poll"] },
  "wasi:io/streams": {
    versions: wasi02,
    suspends: [
      "[method]input-stream.blocking-read",
      "[method]input-stream.blocking-skip",
      "[method]output-stream.blocking-write-and-flush",
      "[method]output-stream.blocking-flush",
    ],
  },
  "wasi:clocks/monotonic-clock": { versions: wasi02 },
  "wasi:clocks/wall-clock": { versions: wasi02 },
  "wasi:random/random": { versions: wasi02 },
  "wasi:random/insecure": { versions: wasi02 },
  "wasi:random/insecure-seed": { versions: wasi02 },
  "wasi:cli/environment": { versions: wasi02 },
  "wasi:cli/exit": { versions: wasi02 },
  "wasi:cli/stdin": { versions: wasi02 },
  "wasi:cli/stdout": { versions: wasi02 },
  "wasi:cli/stderr": { versions: wasi02 },
  "wasi:cli/terminal-input": { versions: wasi02 },
  "wasi:cli/terminal-output": { versions: wasi02 },
  "wasi:cli/terminal-stdin": { versions: wasi02 },
  "wasi:cli/terminal-stdout": { versions: wasi02 },
  "wasi:cli/terminal-stderr": { versions: wasi02 },
  "wasi:filesystem/types": { versions: wasi02 },
  "wasi:filesystem/preopens": { versions: wasi02 },
  "wasi:config/store": { versions: /^0\.2\.0-/ },
  "wasi:sockets/network": { versions: wasi02 },
  "wasi:sockets/instance-network": { versions: wasi02, power: "udp" },
  "wasi:sockets/udp-create-socket": { versions: wasi02, power: "udp" },
  "wasi:sockets/udp": {
    versions: wasi02,
    power: "udp",
    suspends: ["[method]udp-socket.start-bind", "[method]outgoing-datagram-stream.send"],
  },
  "outstation:gateway/ports": { versions: gateway },
  "outstation:gateway/readings": { versions: gateway, suspends: ["report", "flush"] },
  "outstation:gateway/serial": {
    versions: gateway,
    power: "serial",
    suspends: ["open", "[method]port.read", "[method]port.read-line", "[method]port.write", "[method]port.discard"],
  },
  "outstation:gateway/gpio": {
    versions: gateway,
    power: "gpio",
    suspends: ["open", "[method]line.get", "[method]line.set"],
  },
};

/** Whether this agent links the import; by name and version alone, whatever powers it needs. */
export function isOffered({ name, version }: InterfaceName): boolean {
  const offered = ownEntry(offeredInterfaces, name);
  return offered !== undefined && version !== undefined && offered.versions.test(version);
}

/** Of imports as people write them, "wasi:io/poll@0.2.12", those this agent does not offer. */
export function listUnoffered(imports: readonly string[]): readonly string[] {
  return imports.filter((text) => !isOffered(parseInterfaceName(text)));
}

/** Handlers a reactor may export, by the trigger that calls them. */
export const handlerInterfaces = {
  interval: "outstation:gateway/on-interval",
  line: "outstation:gateway/on-line",
  edge: "outstation:gateway/on-edge",
  datagram: "outstation:gateway/on-datagram",
  message: "outstation:gateway/on-message",
} as const;
export type HandlerKind = keyof typeof handlerInterfaces;

export const programInterface = "wasi:cli/run";

/** Imports to be transpiled as suspending: "interface#function". */
export function listSuspendingImports(): string[] {
  return Object.entries(offeredInterfaces).flatMap(([name, { suspends = [] }]) => suspends.map((f) => `${name}#${f}`));
}

/** Exports to be transpiled as promising. */
export function listPromisingExports(): string[] {
  return [...Object.values(handlerInterfaces).map((name) => `${name}#handle`), `${programInterface}#run`];
}
