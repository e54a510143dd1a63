// What a component held is free again the moment it has ended, whatever it was doing when it was ended.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { OpenedBoard } from "../../devices/openBoard.ts";
import { startIncarnation } from "../../src/runtime/incarnation.ts";
import { openGuests, openTestBoard, type Guests } from "../support/guests.ts";
import { settle } from "../support/manualClock.ts";

const rounds = 20;
let guests: Guests;
let board: OpenedBoard;

beforeAll(async () => {
  guests = await openGuests();
  board = await openTestBoard();
});

afterAll(async () => {
  await guests[Symbol.asyncDispose]();
  await board.close();
});

test("a port and a line are free again 20 times of 20 when a component is stopped inside a read, by two at once", async () => {
  const deployment = { grants: { serial: { probe: "read-write" }, gpio: { door: "in" } } };
  const prepared = await guests.prepare("read-only", { board, deployment });
  for (let round = 0; round < rounds; round++) {
    const life = startIncarnation(prepared);
    expect(await life.message("open", '{"port":"door"}')).toEqual({ kind: "ok", value: "ok" });
    const reading = life.message("read", '{"port":"probe"}');
    await expectHeld(() => board.openSerial("probe"));
    void life.stop();
    await life.stop();
    expect(await reading).toMatchObject({ kind: "trap", message: "stopped" });
    await (await board.openSerial("probe")).close();
    await (await board.openGpio("door")).close();
  }
});

test("the ports of the triggers are free again 20 times of 20 when a component is stopped while it spins", async () => {
  const deployment = {
    grants: { serial: { ticker: "read" }, gpio: { door: "in" } },
    triggers: { interval: { tick: "1h" } },
  };
  const prepared = await guests.prepare("spinner", { board, deployment });
  // The spinner has no handlers for them, but the leases are the same ones.
  const triggers = { ...prepared.deployment.triggers, line: ["ticker"], edge: { door: "both" as const } };
  for (let round = 0; round < rounds; round++) {
    const before = prepared.witness.lines.length;
    const life = startIncarnation({ ...prepared, deployment: { ...prepared.deployment, triggers } });
    await prepared.witness.until(() => prepared.witness.lines.length > before);
    await expectHeld(() => board.openSerial("ticker"));
    await expectHeld(() => board.openGpio("door"));
    await life.stop();
    await (await board.openSerial("ticker")).close();
    await (await board.openGpio("door")).close();
  }
});

test("a bound address is free again 20 times of 20", async () => {
  const probe = createSocket("udp4");
  probe.bind(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  const at = `127.0.0.1:${port}`;
  const deployment = { grants: { udp: { bind: [at], send: [at] } }, triggers: { datagram: { ask: at } } };
  const prepared = await guests.prepare("datagram-echo", { board, deployment });
  const address = { family: "ipv4", address: "127.0.0.1", port } as const;
  for (let round = 0; round < rounds; round++) {
    const life = startIncarnation(prepared);
    await life.healthy;
    await expectHeld(async () => board.openUdp(address));
    await life.stop();
    await (await board.openUdp(address)).close();
  }
  expect(prepared.witness.problems).toEqual([]);
});

const describe = ({ code }: { readonly code: string }): string => code;

/** Waits until the component has it. */
async function expectHeld(open: () => Promise<{ close(): Promise<void> }>): Promise<void> {
  const attempt = (): Promise<unknown> => open().then((free) => free.close(), describe);
  while ((await attempt()) !== "busy") await settle();
}
