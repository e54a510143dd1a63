// Decides before anything runs: what the component imports, what the deployment grants, what the board offers.
import type { Board, PortDescription } from "../../devices/board.ts";
import type { ComponentDeployment } from "../protocol/deployment.ts";
import { refuse, type Refusal } from "../protocol/refusal.ts";
import {
  handlerInterfaces,
  isOffered,
  offeredInterfaces,
  programInterface,
  type HandlerKind,
  type Power,
} from "./interfaces.ts";
import { ownEntry } from "./ownEntry.ts";
import { formatInterface, type ComponentShape, type InterfaceName } from "./shape.ts";

/** Everything the sandbox needs to know; what is not in here does not exist for the component. */
export interface Admission {
  readonly kind: "admitted";
  /** Interfaces to link, without versions. */
  readonly imports: readonly string[];
  readonly handlers: readonly HandlerKind[];
  readonly isProgram: boolean;
}

type Ports = Board["ports"];

/** Admits a component or names the first rule that stands in the way. Pure; nothing of the component has run. */
export function admitComponent(
  name: string,
  shape: ComponentShape,
  deployment: ComponentDeployment,
  ports: Ports,
): Admission | Refusal {
  const refusal =
    findUnofferedImport(name, shape) ??
    findMissingGrant(name, shape, deployment, ports) ??
    findMissingPort(name, deployment, ports) ??
    findMissingHandler(name, shape, deployment);
  if (refusal !== undefined) return refusal;
  const exported = new Set(shape.exports.map((entry) => entry.name));
  return {
    kind: "admitted",
    imports: shape.imports.map((entry) => entry.name),
    handlers: handlerKinds().filter((kind) => exported.has(handlerInterfaces[kind])),
    isProgram: exported.has(programInterface),
  };
}

function findUnofferedImport(name: string, shape: ComponentShape): Refusal | undefined {
  const unoffered = shape.imports.find((entry) => !isOffered(entry));
  if (unoffered === undefined) return undefined;
  const known = ownEntry(offeredInterfaces, unoffered.name);
  const seen = `${name} imports ${formatInterface(unoffered)}, which this agent does not offer.`;
  const fix =
    known === undefined
      ? "Build the component against the world outstation:gateway/imports, without this import."
      : `Build the component against a version matching ${known.versions.source}.`;
  return refuse("admission.import", seen, fix);
}

/** One refusal for everything that is missing, so that one new deployment mends it. */
function findMissingGrant(
  name: string,
  shape: ComponentShape,
  { grants }: ComponentDeployment,
  ports: Ports,
): Refusal | undefined {
  const granted: Readonly<Record<Power, boolean>> = {
    serial: Object.keys(grants.serial).length > 0,
    gpio: Object.keys(grants.gpio).length > 0,
    udp: grants.udp.send.length + grants.udp.bind.length > 0,
  };
  const missing = new Map<Power, InterfaceName>();
  for (const entry of shape.imports) {
    const power = offeredInterfaces[entry.name]?.power;
    if (power !== undefined && !granted[power] && !missing.has(power)) missing.set(power, entry);
  }
  if (missing.size === 0) return undefined;
  const imports = [...missing.values()].map(formatInterface).join(", ");
  const powers = [...missing.keys()];
  const seen = `${name} imports ${imports}, but its deployment grants it no ${powers.join(", no ")} port.`;
  const example = powers.map((power) => suggestGrant(power, ports)).join(", ");
  return refuse(
    "admission.grant",
    seen,
    `Add "grants": { ${example} } to the deployment, or drop the import. ${listPorts(ports)}`,
  );
}

function suggestGrant(power: Power, ports: Ports): string {
  if (power === "udp") return '"udp": { "send": ["10.0.0.5:5005"] }';
  const port = ports.find(({ kind }) => kind === power);
  const access = power === "serial" ? "read-write" : (port?.direction ?? "in");
  return `"${power}": { "${port?.name ?? "name"}": "${access}" }`;
}

function listPorts(ports: Ports): string {
  const names = ports.map(({ kind, name }) => `${kind} ${name}`).join(", ");
  return `This board has ${names === "" ? "no ports" : names}.`;
}

function findMissingPort(name: string, { grants }: ComponentDeployment, ports: Ports): Refusal | undefined {
  for (const port of Object.keys(grants.serial)) {
    if (findPort(ports, "serial", port) === undefined) return refusePort(name, "serial", port, ports);
  }
  for (const [line, direction] of Object.entries(grants.gpio)) {
    const port = findPort(ports, "gpio", line);
    if (port === undefined) return refusePort(name, "gpio", line, ports);
    if (port.direction === direction) continue;
    const seen = `${name} is granted gpio ${line} as "${direction}", but the board has it as "${port.direction}".`;
    return refuse("admission.port", seen, "Change the grant, or the line's direction in the board file.");
  }
  return undefined;
}

function findPort(ports: Ports, kind: PortDescription["kind"], name: string): PortDescription | undefined {
  return ports.find((port) => port.kind === kind && port.name === name);
}

function refusePort(name: string, kind: PortDescription["kind"], port: string, ports: Ports): Refusal {
  const names = ports.filter((entry) => entry.kind === kind).map((entry) => entry.name);
  const seen = `${name} is granted ${kind} port "${port}", which this board does not have (it has ${names.join(", ") || "none"}).`;
  return refuse("admission.port", seen, "Name a port of the board, or add this one to the board file.");
}

function findMissingHandler(
  name: string,
  shape: ComponentShape,
  { triggers, grants }: ComponentDeployment,
): Refusal | undefined {
  const exported = new Set(shape.exports.map((entry) => entry.name));
  const isProgram = exported.has(programInterface);
  const handlers = Object.values(handlerInterfaces).filter((entry) => exported.has(entry));
  const callable = isProgram || handlers.length > 0;
  if (!callable)
    return refuse(
      "admission.export",
      `${name} exports neither ${programInterface} nor a handler: nothing could ever call it.`,
      "Export wasi:cli/run or a handler of outstation:gateway.",
    );
  // A handler would enter the instance while `run` is suspended in it; calls come one at a time.
  if (isProgram && handlers.length > 0)
    return refuse(
      "admission.export",
      `${name} exports ${programInterface} and ${handlers.join(", ")}: it is a program or it has handlers, not both.`,
      "Make two components of it.",
    );
  const wanted: Readonly<Record<Exclude<HandlerKind, "message">, boolean>> = {
    interval: Object.keys(triggers.interval).length > 0,
    line: triggers.line.length > 0,
    edge: Object.keys(triggers.edge).length > 0,
    datagram: Object.keys(triggers.datagram).length > 0,
  };
  for (const kind of ["interval", "line", "edge", "datagram"] as const) {
    if (!wanted[kind] || exported.has(handlerInterfaces[kind])) continue;
    const seen = `${name} has a trigger "${kind}" but does not export ${handlerInterfaces[kind]}.`;
    return refuse("admission.export", seen, "Export the handler, or remove the trigger from the deployment.");
  }
  return findUngrantedTrigger(name, { triggers, grants });
}

function findUngrantedTrigger(
  name: string,
  { triggers, grants }: Pick<ComponentDeployment, "triggers" | "grants">,
): Refusal | undefined {
  const line = triggers.line.find((port) => ownEntry(grants.serial, port) === undefined);
  if (line !== undefined)
    return refuseTrigger(name, `line trigger on serial port "${line}"`, `"serial": {"${line}": "read"}`);
  const edge = Object.keys(triggers.edge).find((port) => ownEntry(grants.gpio, port) !== "in");
  if (edge !== undefined)
    return refuseTrigger(name, `edge trigger on gpio line "${edge}"`, `"gpio": {"${edge}": "in"}`);
  const datagram = Object.values(triggers.datagram).find((address) => !grants.udp.bind.includes(address));
  if (datagram !== undefined)
    return refuseTrigger(name, `datagram trigger on ${datagram}`, `"udp": {"bind": ["${datagram}"]}`);
  return undefined;
}

function refuseTrigger(name: string, what: string, grant: string): Refusal {
  return refuse("admission.grant", `${name} has a ${what} that it is not granted.`, `Add ${grant} to its grants.`);
}

function handlerKinds(): HandlerKind[] {
  return Object.keys(handlerInterfaces) as HandlerKind[];
}
