// Keeps a boiler's water at a set point: asks the thermometer on serial port "probe", reports what it says, and
// switches the relay on line "relay" when an operator sends a command. Each reading is also told to a neighbour by UDP.
import { open as openLine } from "outstation:gateway/gpio@0.1.0";
import { report } from "outstation:gateway/readings@0.1.0";
import { open as openSerial } from "outstation:gateway/serial@0.1.0";
import { get } from "wasi:config/store@0.2.0-rc.1";
import { instanceNetwork } from "wasi:sockets/instance-network@0.2.12";
import { createUdpSocket } from "wasi:sockets/udp-create-socket@0.2.12";

const answerTimeoutMs = 1000;

let probe: ReturnType<typeof openSerial> | undefined;
let relay: ReturnType<typeof openLine> | undefined;

export const onInterval = {
  handle(timer: string): void {
    const celsius = readTemperature();
    if (celsius === undefined) return;
    report("temperature", [{ metric: "temperature", value: { tag: "number", val: celsius }, unit: "Cel" }]);
    tellNeighbour(`${timer} ${celsius.toFixed(2)}`);
  },
};

export const onMessage = {
  handle(method: string, params: string): string {
    if (method !== "relay") throw `There is no method "${method}"; there is "relay".`;
    const { on } = JSON.parse(params) as { on?: unknown };
    if (typeof on !== "boolean") throw 'Say {"on": true} or {"on": false}.';
    relay ??= openLine("relay");
    relay.set(on);
    return JSON.stringify({ relay: relay.get() });
  },
};

/** Undefined while the thermometer does not answer: its cable may be plugged in again at any time. */
function readTemperature(): number | undefined {
  try {
    probe ??= openSerial("probe");
    probe.write(encode("READ\r\n"));
    return Number(probe.readLine(answerTimeoutMs).slice("T=".length));
  } catch {
    probe = undefined;
    return undefined;
  }
}

function tellNeighbour(text: string): void {
  const neighbour = get("neighbour");
  if (!neighbour) return;
  const [address, port] = neighbour.split(":");
  const socket = createUdpSocket("ipv4");
  const any = { tag: "ipv4", val: { port: 0, address: [0, 0, 0, 0] } };
  socket.startBind(instanceNetwork(), any);
  socket.finishBind();
  const to = { tag: "ipv4", val: { port: Number(port), address: address.split(".").map(Number) } };
  const [incoming, outgoing] = socket.stream(undefined);
  outgoing.checkSend();
  outgoing.send([{ data: encode(text), remoteAddress: to }]);
}

/** QuickJS has no TextEncoder; what is sent here is ASCII. */
function encode(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
