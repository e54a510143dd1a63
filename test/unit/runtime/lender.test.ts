// The lender: every call is checked against the grants, and everything lent is taken back at the release.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Board } from "../../../devices/board.ts";
import type { OpenedBoard } from "../../../devices/openBoard.ts";
import type { UdpSocket } from "../../../devices/udp/udp.ts";
import { limits } from "../../../src/base/limits.ts";
import { createLender, type Lender } from "../../../src/runtime/lender/lender.ts";
import { openTestBoard, parseGuestDeployment } from "../../support/guests.ts";
import { createManualClock, settle } from "../../support/manualClock.ts";

const anywhere = { family: "ipv4", address: "0.0.0.0", port: 0 } as const;
const grants = {
  serial: { probe: "read-write" },
  gpio: { relay: "out", door: "in" },
  udp: { send: ["127.0.0.1:9"], bind: ["127.0.0.1:*"] },
};
let board: OpenedBoard;

beforeEach(async () => {
  board = await openTestBoard();
});

afterEach(() => board.close());

describe("what is granted", () => {
  test("lends ports by number and closes what it lent by that number", async () => {
    const lender = lend(board);
    const probe = await lender.perform("serial.open", ["probe"]);
    await lender.perform("serial.write", [probe, Buffer.from("READ\r\n")]);
    expect(await lender.perform("serial.readLine", [probe, undefined])).toMatch(/^T=/);
    const relay = await lender.perform("gpio.open", ["relay"]);
    await lender.perform("gpio.set", [relay, true]);
    expect(await lender.perform("gpio.get", [relay])).toBe(true);
    await lender.perform("close", [probe]);
    await expect(lender.perform("serial.readLine", [probe, undefined])).rejects.toMatchObject({ code: "closed" });
    await expect(lender.perform("gpio.get", [probe])).rejects.toMatchObject({ code: "closed" });
    await lender.release();
  });

  test.each([
    ["serial.open", ["ticker"], "not-granted"],
    ["serial.open", ["constructor"], "not-granted"],
    ["gpio.open", ["toString"], "not-granted"],
    ["udp.bind", [{ family: "ipv4", address: "127.0.0.2", port: 5005 }], "access-denied"],
    ["udp.bind", [{ family: "ipv4", address: "127.0.0.2", port: 0 }], "access-denied"],
    ["serial.read", [17, 1, 0], "closed"],
    ["udp.receive", [17], "closed"],
    ["gpio.set", [17, true], "closed"],
  ] as const)("answers %s %j with %s", async (operation, args, code) => {
    const lender = lend(board);
    await expect(lender.perform(operation, args)).rejects.toMatchObject({ code });
    await lender.release();
  });

  test("hears on a port taken for sending only those that may be sent to, and everybody on one that is granted", async () => {
    await using friend = await board.openUdp({ family: "ipv4", address: "127.0.0.1", port: 0 });
    await using stranger = await board.openUdp({ family: "ipv4", address: "127.0.0.1", port: 0 });
    const udp = { send: [`127.0.0.1:${friend.local.port}`], bind: ["127.0.0.1:*"] };
    const lender = lend(board, undefined, { udp });
    const bind = async (address: string): Promise<{ lease: number; local: { port: number } }> =>
      (await lender.perform("udp.bind", [{ ...anywhere, address }])) as { lease: number; local: { port: number } };
    for (const [address, heard] of [
      ["0.0.0.0", ["friend"]],
      ["127.0.0.1", ["stranger", "friend"]],
    ] as const) {
      const { lease, local } = await bind(address);
      const to = { family: "ipv4", address: "127.0.0.1", port: local.port } as const;
      await stranger.send(Buffer.from("stranger"), to);
      await friend.send(Buffer.from("friend"), to);
      const texts: string[] = [];
      while (!texts.includes("friend")) {
        const received = (await lender.perform("udp.receive", [lease])) as { bytes: Uint8Array }[];
        texts.push(...received.map(({ bytes }) => Buffer.from(bytes).toString()));
      }
      expect(texts).toEqual(heard);
    }
    await lender.release();
  });

  test("checks every datagram's address and size", async () => {
    const lender = lend(board);
    const { lease } = (await lender.perform("udp.bind", [anywhere])) as { lease: number };
    const send = (address: string, port: number, bytes = 1): Promise<unknown> =>
      lender.perform("udp.send", [lease, new Uint8Array(bytes), { family: "ipv4", address, port }]);
    await send("127.0.0.1", 9);
    await expect(send("127.0.0.1", 10)).rejects.toMatchObject({ code: "access-denied" });
    await expect(send("127.0.0.2", 9)).rejects.toMatchObject({ code: "access-denied" });
    await expect(send("127.0.0.1", 9, limits.udp.payloadBytes + 1)).rejects.toMatchObject({ code: "too-large" });
    await lender.release();
  });

  test("lends so many at once and not one more, and leaves no socket behind that it could not lend", async () => {
    const sockets = watchSockets(board);
    const lender = lend(sockets.board);
    const leases: unknown[] = [];
    for (let count = 0; count < limits.component.openPorts; count++)
      leases.push(await lender.perform("udp.bind", [anywhere]));
    await expect(lender.perform("udp.bind", [anywhere])).rejects.toMatchObject({ code: "too-many" });
    await expect(lender.perform("serial.open", ["probe"])).rejects.toMatchObject({ code: "too-many" });
    expect(sockets.open()).toBe(limits.component.openPorts);
    await lender.perform("close", [(leases[0] as { lease: number }).lease]);
    expect(sockets.open()).toBe(limits.component.openPorts - 1);
    await lender.perform("udp.bind", [anywhere]);
    await lender.release();
    expect(sockets.open()).toBe(0);
  });

  test("opens a lost device again when it is back", async () => {
    const lender = lend(board);
    const lease = await lender.perform("serial.open", ["probe"]);
    const reading = lender.perform("serial.readLine", [lease, undefined]).catch((error: unknown) => error);
    await settle();
    board.simulated.serial.get("probe")?.unplug();
    expect(await reading).toMatchObject({ code: "disconnected" });
    await settle();
    await expect(lender.perform("serial.write", [lease, Buffer.from("x")])).rejects.toMatchObject({ code: "missing" });
    board.simulated.serial.get("probe")?.plug();
    await lender.perform("serial.write", [lease, Buffer.from("ID\r\n")]);
    expect(await lender.perform("serial.readLine", [lease, undefined])).toBe("ID=line-thermometer");
    await lender.release();
  });
});

describe("the release", () => {
  test("refuses those who wait, closes everything, and lends nothing more", async () => {
    const sockets = watchSockets(board);
    const lender = lend(sockets.board);
    const probe = await lender.perform("serial.open", ["probe"]);
    const door = await lender.perform("gpio.open", ["door"]);
    const { lease } = (await lender.perform("udp.bind", [anywhere])) as { lease: number };
    await lender.bind({ ...anywhere, address: "127.0.0.1" });
    const waiting = [lender.perform("serial.readLine", [probe, undefined]), lender.perform("udp.receive", [lease])].map(
      (call) => call.catch((error: unknown) => error),
    );
    await lender.release();
    for (const call of waiting) expect(await call).toMatchObject({ code: "closed" });
    expect(sockets.open()).toBe(0);
    await (await board.openSerial("probe")).close();
    await (await board.openGpio("door")).close();
    for (const [operation, args] of [
      ["serial.open", ["probe"]],
      ["gpio.open", ["door"]],
      ["gpio.get", [door]],
      ["udp.bind", [anywhere]],
    ] as const)
      await expect(lender.perform(operation, args)).rejects.toMatchObject({ code: "closed" });
    await expect(lender.serial("probe")).rejects.toMatchObject({ code: "closed" });
    await (await board.openSerial("probe")).close();
  });

  test("also closes what is being opened while it goes on", async () => {
    const sockets = watchSockets(board);
    const lender = lend(sockets.board);
    const opening = [
      lender.perform("udp.bind", [anywhere]),
      lender.bind({ ...anywhere, address: "127.0.0.1" }),
      lender.perform("serial.open", ["probe"]),
      lender.perform("gpio.open", ["door"]),
    ];
    await Promise.all([lender.release(), Promise.allSettled(opening)]);
    expect(sockets.open()).toBe(0);
    await (await board.openSerial("probe")).close();
    await (await board.openGpio("door")).close();
  });

  test("waits for the readings that were handed over, but holds no port meanwhile", async () => {
    const durable = Promise.withResolvers<void>();
    const lender = lend(board, () => durable.promise);
    await lender.perform("serial.open", ["probe"]);
    await lender.perform("readings.report", ["level", []]);
    let isReleased = false;
    const releasing = lender.release().then(() => (isReleased = true));
    await settle();
    await (await board.openSerial("probe")).close();
    expect(isReleased).toBe(false);
    durable.resolve();
    await releasing;
  });
});

function lend(from: Board, report = async (): Promise<void> => undefined, granted: object = grants): Lender {
  const { grants: parsed } = parseGuestDeployment("boiler", { grants: granted });
  return createLender({ board: from, grants: parsed, report, clock: createManualClock(), onDropped: () => {} });
}

/** Counts the sockets of a board that are open. */
function watchSockets(watched: Board): { readonly board: Board; open(): number } {
  const open = new Set<UdpSocket>();
  const openUdp: Board["openUdp"] = async (bind) => {
    const socket = await watched.openUdp(bind);
    open.add(socket);
    const close = async (): Promise<void> => {
      await socket.close();
      open.delete(socket);
    };
    return { ...socket, droppedDatagrams: 0, close };
  };
  return { board: { ...watched, openUdp }, open: () => open.size };
}
