// Components at serial ports, lines and sockets: what is granted works, what is not is refused in their own terms.
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Board } from "../../devices/board.ts";
import type { OpenedBoard } from "../../devices/openBoard.ts";
import { createSimulatedSerial } from "../../devices/serial/simulated.ts";
import { createLineThermometer } from "../../devices/simulated/lineThermometer.ts";
import { limits } from "../../src/base/limits.ts";
import { openGuests, openTestBoard, type Guests, type RunningGuest } from "../support/guests.ts";
import { settle } from "../support/manualClock.ts";
import { createManualClock, type ManualClock } from "../support/manualDeviceClock.ts";

let guests: Guests;
let board: OpenedBoard;
let deviceClock: ManualClock;

beforeAll(async () => {
  guests = await openGuests();
  deviceClock = createManualClock();
  board = await openTestBoard(deviceClock);
});

afterAll(async () => {
  await guests[Symbol.asyncDispose]();
  await board.close();
});

test("hands every line of a serial port to the component, in order", async () => {
  const deployment = { grants: { serial: { ticker: "read" } }, triggers: { line: ["ticker"] } };
  const { component, witness } = await guests.start("line-follower", { board, deployment });
  await component.healthy;
  await settle();
  for (let second = 0; second < 20; second++) deviceClock.advance(1000);
  await witness.until(() => witness.lines.length >= 20);
  const ticks = expectedTicks(40);
  const first = ticks.indexOf(witness.lines[0] ?? "");
  expect(first).toBeGreaterThanOrEqual(0);
  expect(witness.lines).toEqual(ticks.slice(first, first + 20));
  await component.stop();
});

test("hands every edge of a line to the component, numbered", async () => {
  const deployment = { grants: { gpio: { door: "in" } }, triggers: { edge: { door: "rising" } } };
  const { component, witness } = await guests.start("edge-counter", { board, deployment });
  await component.healthy;
  await settle();
  for (const level of [true, false, true, false]) board.simulated.gpio.get("door")?.press(level);
  await witness.until(() => witness.lines.length === 2);
  expect(witness.lines.map((line) => line.split(" ").slice(0, 3).join(" "))).toEqual([
    "1 door rising",
    "2 door rising",
  ]);
  await component.stop();
});

test("hands a datagram to the component, which answers it from a socket of its own", async () => {
  const port = await findFreePort();
  const at = `127.0.0.1:${port}`;
  const deployment = {
    grants: { udp: { bind: [at], send: ["127.0.0.1:*"] } },
    triggers: { datagram: { ask: at } },
  };
  const { component, witness } = await guests.start("datagram-echo", { board, deployment });
  await component.healthy;
  await settle();
  const peer = await bindPeer();
  // More than a component may hold at once: sockets that it dropped must have been closed.
  for (let round = 0; round < 2 * limits.component.openPorts; round++) {
    const answer = once(peer, "message");
    peer.send(`ping ${round}`, port, "127.0.0.1");
    expect(String((await answer)[0])).toBe(`ping ${round}`);
  }
  expect(witness.lines[0]).toBe("ask 6");
  await component.stop();
  peer.close();
});

test("denies sending to an address and binding one that are not granted", async () => {
  const peer = await bindPeer();
  const { port } = peer.address();
  const deployment = { grants: { udp: { send: [`127.0.0.1:${port}`] } } };
  const { component } = await guests.start("sneaky-udp", { board, deployment });
  const attempt = (method: string, toPort: number, address = [127, 0, 0, 1]): Promise<string> =>
    component.message(method, JSON.stringify({ address, port: toPort }));
  const arrived = once(peer, "message");
  expect(await attempt("send", port)).toBe("ok");
  await arrived;
  expect(await attempt("send", port === 9 ? 10 : 9)).toBe("access-denied");
  expect(await attempt("send", port, [127, 0, 0, 2])).toBe("access-denied");
  expect(await attempt("bind", port)).toBe("access-denied");
  expect(await attempt("bind", 0, [127, 0, 0, 1])).toBe("access-denied");
  await component.stop();
  peer.close();
});

test("limits how many sockets a component holds", async () => {
  const deployment = { grants: { udp: { send: ["127.0.0.1:9"] } } };
  const { component } = await guests.start("sneaky-udp", { board, deployment });
  const bind = (): Promise<string> => component.message("bind", '{"address":[0,0,0,0],"port":0}');
  for (let held = 0; held < limits.component.openPorts; held++) expect(await bind()).toBe("ok");
  expect(await bind()).toBe("new-socket-limit");
  await component.stop();
});

test("refuses to write where only reading is granted, and knows no port that is not granted", async () => {
  const deployment = { grants: { serial: { probe: "read" }, gpio: { door: "in" } } };
  const { component } = await guests.start("read-only", { board, deployment });
  const attempt = (method: string, port: string): Promise<string> =>
    component.message(method, JSON.stringify({ port }));
  expect(await attempt("write", "probe")).toBe("not-writable");
  expect(await attempt("read", "ticker")).toBe("not-granted");
  expect(await attempt("read", "constructor")).toBe("not-granted");
  expect(await attempt("set", "door")).toBe("not-writable");
  expect(await attempt("set", "relay")).toBe("not-granted");
  expect(await attempt("open", "door")).toBe("ok");
  expect(await attempt("open", "toString")).toBe("not-granted");
  await component.stop();
});

test("tells a component that another one holds its port, until that one is stopped", async () => {
  const deployment = { grants: { serial: { probe: "read-write" } } };
  const holder = await guests.start("overlong", { board, deployment });
  const other = await guests.start("overlong", { board, deployment });
  expect(await holder.component.message("write", "1")).toBe("ok");
  expect(await other.component.message("write", "1")).toBe("busy");
  await holder.component.stop();
  expect(await other.component.message("write", "1")).toBe("ok");
  await other.component.stop();
});

test("answers arguments that are out of bounds with invalid", async () => {
  const deployment = { grants: { serial: { probe: "read-write" } } };
  const overlongLine = `${"x".repeat(limits.serial.lineMaxBytes + 1)}\r\nshort\r\n`;
  const { component } = await guests.start("overlong", { board: boardThatSends(overlongLine), deployment });
  const attempt = (method: string, params: string): Promise<string> => component.message(method, params);
  expect(await attempt("write", "4")).toBe("ok");
  expect(await attempt("line", "")).toBe("invalid");
  expect(await attempt("line", "")).toBe("short");
  expect(await attempt("write", String(limits.serial.writeMaxBytes + 1))).toBe("invalid");
  expect(await attempt("write", String(limits.component.callBytes + 1))).toBe("invalid");
  expect(await attempt("stream", "Not A Name")).toBe("invalid");
  expect(await attempt("metric", "a b")).toBe("invalid");
  expect(await attempt("text", String(limits.outbox.recordBytes))).toBe("invalid");
  expect(await attempt("open", String(limits.component.callBytes + 1))).toBe("invalid");
  expect(await attempt("integer", String(2 ** 53))).toBe("invalid");
  expect(await attempt("integer", "7")).toBe("ok");
  await component.stop();
});

test("asks a wire back that was pulled out and put in again", async () => {
  const deployment = { grants: { serial: { probe: "read-write" } } };
  const { component } = await guests.start("overlong", { board, deployment });
  const probe = board.simulated.serial.get("probe");
  expect(await component.message("write", "1")).toBe("ok");
  probe?.unplug();
  expect(await component.message("write", "1")).toBe("disconnected");
  await settle();
  expect(await component.message("write", "1")).toBe("disconnected");
  probe?.plug();
  expect(await component.message("write", "1")).toBe("ok");
  await component.stop();
});

test("keeps readings that cannot be stored from passing in silence", async () => {
  const deployment = { grants: { serial: { probe: "read" } } };
  const report = async (): Promise<void> => {
    throw new Error("the disk is full");
  };
  const guest: RunningGuest = await guests.start("overlong", { board, deployment, report });
  const answers = [await guest.component.message("integer", "1"), await guest.component.message("integer", "2")];
  expect(answers).toContain("unavailable");
  await guest.component.stop();
});

/** What the ticker says, as the guest prints it. */
function expectedTicks(count: number): string[] {
  const clock = createManualClock();
  const lines: string[] = [];
  const send = (bytes: Uint8Array): void =>
    void lines.push(`ticker ${new TextDecoder().decode(bytes).replace("\r\n", "")}`);
  const part = createLineThermometer({ seed: 1, celsius: 60, everyMs: 1000 }, { clock, send, record() {} });
  clock.advance(count * 1000);
  part.stop();
  return lines;
}

/** The test board, but what is behind the probe answers every write with the text. */
function boardThatSends(text: string): Board {
  const probe = createSimulatedSerial("probe", (send) => ({ receive: () => send(Buffer.from(text)), stop() {} }));
  return { ...board, openSerial: () => probe.open() };
}

async function bindPeer(): Promise<Socket> {
  const peer = createSocket("udp4");
  peer.bind(0, "127.0.0.1");
  await once(peer, "listening");
  return peer;
}

async function findFreePort(): Promise<number> {
  const socket = await bindPeer();
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}
