// Admission: every rule refuses with what was seen and what to do, and what is admitted is exactly what was asked.
import { describe, expect, test } from "vitest";
import type { PortDescription } from "../../../devices/board.ts";
import { isRefusal, type Refusal } from "../../../src/protocol/refusal.ts";
import { admitComponent, type Admission } from "../../../src/runtime/admit.ts";
import type { InterfaceName } from "../../../src/runtime/shape.ts";
import { parseGuestDeployment, type GuestDeployment } from "../../support/guests.ts";

const ports: readonly PortDescription[] = [
  { kind: "serial", name: "probe", behind: "/dev/ttyUSB0" },
  { kind: "gpio", name: "relay", direction: "out", behind: "GPIO17" },
  { kind: "gpio", name: "door", direction: "in", behind: "GPIO4" },
];
const onMessage = "outstation:gateway/on-message@0.1.0";
const all = { serial: { probe: "read-write" }, gpio: { relay: "out", door: "in" }, udp: { send: ["10.0.0.5:5005"] } };

interface Asked extends GuestDeployment {
  readonly imports?: readonly string[];
  readonly exports?: readonly string[];
  readonly ports?: readonly PortDescription[];
}

describe("imports", () => {
  test("admits what is offered and granted, by name without version", () => {
    const imports = ["wasi:io/poll@0.2.0", "outstation:gateway/serial@0.1.3", "wasi:config/store@0.2.0-rc.1"];
    expect(admit({ imports, grants: all })).toEqual({
      kind: "admitted",
      imports: ["wasi:io/poll", "outstation:gateway/serial", "wasi:config/store"],
      handlers: ["message"],
      isProgram: false,
    });
  });

  test.each([
    "wasi:http/outgoing-handler@0.2.12",
    "wasi:sockets/tcp@0.2.12",
    "wasi:cli/command@0.2.12",
    "nobody:knows/this@1.0.0",
    "constructor",
  ])("refuses %s, which is not offered, and says what is", (entry) => {
    const refusal = refused({ imports: ["wasi:io/poll@0.2.12", entry], grants: all });
    expect(refusal.rule).toBe("admission.import");
    expect(refusal.seen).toContain(`boiler imports ${entry}, which this agent does not offer`);
    expect(refusal.fix).toContain("outstation:gateway/imports");
  });

  test.each(["wasi:io/poll@0.3.0", "wasi:io/poll@0.2", "wasi:io/poll", "outstation:gateway/serial@0.2.0"])(
    "refuses %s for its version and says which versions match",
    (entry) => {
      const refusal = refused({ imports: [entry], grants: all });
      expect(refusal.rule).toBe("admission.import");
      expect(refusal.fix).toContain("a version matching");
    },
  );
});

describe("grants", () => {
  test("names every missing grant in one refusal, with an example from this board", () => {
    const imports = ["serial", "gpio"].map((name) => `outstation:gateway/${name}@0.1.0`);
    const refusal = refused({
      imports: [...imports, "wasi:sockets/udp@0.2.12", "wasi:sockets/instance-network@0.2.12"],
    });
    expect(refusal.rule).toBe("admission.grant");
    expect(refusal.seen).toBe(
      "boiler imports outstation:gateway/serial@0.1.0, outstation:gateway/gpio@0.1.0, wasi:sockets/udp@0.2.12, " +
        "but its deployment grants it no serial, no gpio, no udp port.",
    );
    expect(refusal.fix).toContain('"serial": { "probe": "read-write" }, "gpio": { "relay": "out" }, "udp":');
    expect(refusal.fix).toContain("This board has serial probe, gpio relay, gpio door.");
  });

  test("says so when the board has no ports at all", () => {
    const refusal = refused({ imports: ["outstation:gateway/serial@0.1.0"], ports: [] });
    expect(refusal.fix).toContain("This board has no ports");
  });

  test("takes an address to bind as a grant of udp", () => {
    const grants = { udp: { bind: ["0.0.0.0:5005"] } };
    expect(admit({ imports: ["wasi:sockets/udp@0.2.12"], grants }).kind).toBe("admitted");
  });

  test.each([
    [{ serial: { pump: "read" } }, 'granted serial port "pump", which this board does not have (it has probe)'],
    [{ gpio: { lamp: "out" } }, 'granted gpio port "lamp", which this board does not have (it has relay, door)'],
    [{ serial: { relay: "read" } }, 'granted serial port "relay"'],
  ])("refuses a grant of a port that the board does not have: %o", (grants, seen) => {
    const refusal = refused({ grants });
    expect(refusal).toMatchObject({ rule: "admission.port" });
    expect(refusal.seen).toContain(seen);
  });

  test.each([
    ["relay", "in", "out"],
    ["door", "out", "in"],
  ])("refuses gpio %s granted as %s where the board has %s", (line, granted, has) => {
    const refusal = refused({ grants: { gpio: { [line]: granted } } });
    expect(refusal.rule).toBe("admission.port");
    expect(refusal.seen).toContain(`gpio ${line} as "${granted}", but the board has it as "${has}"`);
  });
});

describe("handlers and triggers", () => {
  test("refuses a component that exports nothing that could be called", () => {
    const refusal = refused({ exports: ["wasi:http/incoming-handler@0.2.12"] });
    expect(refusal.rule).toBe("admission.export");
    expect(refusal.seen).toContain("exports neither wasi:cli/run nor a handler");
  });

  test("admits a program", () => {
    expect(admit({ exports: ["wasi:cli/run@0.2.12"] })).toMatchObject({ isProgram: true, handlers: [] });
  });

  test("refuses a program that has handlers as well, since they would interrupt it", () => {
    const refusal = refused({ exports: ["wasi:cli/run@0.2.12", onMessage] });
    expect(refusal.rule).toBe("admission.export");
    expect(refusal.seen).toContain("not both");
  });

  test.each([
    ["interval", { interval: { sample: "1s" } }],
    ["line", { line: ["probe"] }],
    ["edge", { edge: { door: "both" } }],
    ["datagram", { datagram: { ask: "0.0.0.0:5005" } }],
  ])("refuses a trigger %s without its handler", (kind, triggers) => {
    const refusal = refused({ triggers, grants: { ...all, udp: { bind: ["0.0.0.0:5005"] } } });
    expect(refusal.rule).toBe("admission.export");
    expect(refusal.seen).toBe(`boiler has a trigger "${kind}" but does not export outstation:gateway/on-${kind}.`);
  });

  test.each([
    ["on-line", { line: ["probe"] }, {}, '"serial": {"probe": "read"}'],
    ["on-line", { line: ["constructor"] }, {}, '"serial": {"constructor": "read"}'],
    ["on-edge", { edge: { door: "both" } }, {}, '"gpio": {"door": "in"}'],
    ["on-edge", { edge: { relay: "both" } }, { gpio: { relay: "out" } }, '"gpio": {"relay": "in"}'],
    ["on-datagram", { datagram: { ask: "0.0.0.0:5005" } }, {}, '"udp": {"bind": ["0.0.0.0:5005"]}'],
    [
      "on-datagram",
      { datagram: { ask: "0.0.0.0:5005" } },
      { udp: { bind: ["0.0.0.0:5006"] } },
      '"udp": {"bind": ["0.0.0.0:5005"]}',
    ],
  ])("refuses %s with an ungranted trigger %o and says which grant is missing", (handler, triggers, grants, grant) => {
    const refusal = refused({ exports: [`outstation:gateway/${handler}@0.1.0`], triggers, grants });
    expect(refusal.rule).toBe("admission.grant");
    expect(refusal.fix).toContain(grant);
  });

  test("admits every handler with its trigger and grant", () => {
    const kinds = ["interval", "line", "edge", "datagram", "message"];
    const admission = admit({
      exports: kinds.map((kind) => `outstation:gateway/on-${kind}@0.1.0`),
      triggers: { interval: { a: "1s" }, line: ["probe"], edge: { door: "both" }, datagram: { b: "0.0.0.0:1" } },
      grants: { ...all, udp: { bind: ["0.0.0.0:1"] } },
    });
    expect(admission).toMatchObject({ kind: "admitted", handlers: kinds });
  });
});

function admit({
  imports = [],
  exports = [onMessage],
  ports: board = ports,
  ...deployment
}: Asked): Admission | Refusal {
  const shape = { imports: imports.map(nameOf), exports: exports.map(nameOf) };
  return admitComponent("boiler", shape, parseGuestDeployment("boiler", deployment), board);
}

function refused(asked: Asked): Refusal {
  const outcome = admit(asked);
  if (!isRefusal(outcome)) throw new Error("it was admitted");
  expect(outcome.fix).not.toBe("");
  return outcome;
}

function nameOf(text: string): InterfaceName {
  const [name = "", version] = text.split("@");
  return { name, version };
}
