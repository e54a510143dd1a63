// A board lends each port to one holder, opens devices only when asked, and closes everything it lent.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseBoardFile } from "../../../devices/boardFile.ts";
import type { Edge } from "../../../devices/gpio/gpio.ts";
import { openBoard } from "../../../devices/openBoard.ts";
import type { OpenedBoard } from "../../../devices/openBoard.ts";
import { createManualClock } from "../../support/manualDeviceClock.ts";

const loopback = { family: "ipv4", address: "127.0.0.1", port: 0 } as const;
const file = {
  serial: {
    meter: { simulated: "line-thermometer", options: { seed: 1, everyMs: 1000 } },
    absent: { path: "/dev/serial/by-id/not-plugged-in" },
  },
  gpio: {
    lamp: { simulated: "relay", direction: "out" },
    button: { simulated: "button", direction: "in", options: { everyMs: 500 } },
    door: { line: "no such line on any machine", direction: "in" },
    gate: { chip: "pinctrl-none", offset: 4, direction: "in" },
  },
};

function open(extra: object = {}): Promise<OpenedBoard> {
  return openBoard(parseBoardFile(JSON.stringify({ ...file, ...extra })), { clock: createManualClock() });
}

describe("a board", () => {
  it("lists its ports with what is behind them", async () => {
    await using board = await open();
    expect(board.ports).toEqual([
      { kind: "serial", name: "meter", behind: "simulated line-thermometer" },
      { kind: "serial", name: "absent", behind: "/dev/serial/by-id/not-plugged-in" },
      { kind: "gpio", name: "lamp", direction: "out", behind: "simulated relay" },
      { kind: "gpio", name: "button", direction: "in", behind: "simulated button" },
      { kind: "gpio", name: "door", direction: "in", behind: "no such line on any machine" },
      { kind: "gpio", name: "gate", direction: "in", behind: "pinctrl-none 4" },
    ]);
  });

  it("opens although devices are absent, and says so when they are asked for", async () => {
    await using board = await open();
    await expect(board.openSerial("absent")).rejects.toMatchObject({ code: "missing" });
    await expect(board.openSerial("absent")).rejects.toMatchObject({ code: "missing" });
    await expect(board.openGpio("door")).rejects.toMatchObject({ code: "missing" });
    await expect(board.openGpio("gate")).rejects.toMatchObject({ code: "missing" });
  });

  it.each(["nothing", "lamp", "__proto__", "constructor"])(
    'has no serial port "%s" and names those it has',
    async (name) => {
      await using board = await open();
      await expect(board.openSerial(name)).rejects.toMatchObject({
        code: "unknown-port",
        message: expect.stringContaining("meter, absent"),
      });
    },
  );

  it("lends a port once, also while it is being opened, and again after close", async () => {
    await using board = await open();
    const opening = board.openSerial("meter");
    await expect(board.openSerial("meter")).rejects.toMatchObject({ code: "busy" });
    const port = await opening;
    await expect(board.openSerial("meter")).rejects.toMatchObject({ code: "busy" });
    await port.close();
    await using again = await board.openSerial("meter");
    await again.write(Buffer.from("ID\r\n"));
    expect(String(Buffer.from(await again.read(100)))).toBe("ID=line-thermometer\r\n");
    await port.close();
    await expect(board.openSerial("meter")).rejects.toMatchObject({ code: "busy" });
  });

  it("lends each line once", async () => {
    await using board = await open();
    const lamp = await board.openGpio("lamp");
    await expect(board.openGpio("lamp")).rejects.toMatchObject({ code: "busy" });
    await lamp.close();
    await using again = await board.openGpio("lamp");
    expect(again.direction).toBe("out");
  });

  it("still holds a port whose device went away, until it is closed", async () => {
    await using board = await open();
    const port = await board.openSerial("meter");
    board.simulated.serial.get("meter")?.unplug();
    await expect(port.read(1)).rejects.toMatchObject({ code: "disconnected" });
    await expect(board.openSerial("meter")).rejects.toMatchObject({ code: "busy" });
    await port.close();
    await expect(board.openSerial("meter")).rejects.toMatchObject({ code: "missing" });
    board.simulated.serial.get("meter")?.plug();
    await using again = await board.openSerial("meter");
    await again.write(Buffer.from("ID\r\n"));
    expect((await again.read(100)).length).toBeGreaterThan(0);
  });

  it("opens as many sockets as are asked for", async () => {
    await using board = await open();
    await using a = await board.openUdp(loopback);
    await using b = await board.openUdp(loopback);
    await a.send(Buffer.from("x"), b.local);
    expect(await b.receive(1)).toMatchObject([{ from: a.local }]);
    expect(b.take(1)).toEqual([]);
    expect(b.droppedDatagrams).toBe(0);
  });

  it("closes everything it lent, and lends nothing afterwards", async () => {
    const board = await open();
    const port = await board.openSerial("meter");
    const lamp = await board.openGpio("lamp");
    const socket = await board.openUdp(loopback);
    const late = board.openUdp(loopback);
    await Promise.all([board.close(), expect(late).rejects.toMatchObject({ code: "closed" })]);
    await expect(port.read(1)).rejects.toMatchObject({ code: "closed" });
    await expect(lamp.read()).rejects.toMatchObject({ code: "closed" });
    await expect(socket.receive(1)).rejects.toMatchObject({ code: "closed" });
    await expect(board.openSerial("meter")).rejects.toMatchObject({ code: "closed" });
    await board.close();
  });
});

describe("the simulated parts of a board", () => {
  it("run on the board's clock until it is closed", async () => {
    const clock = createManualClock();
    const board = await openBoard(parseBoardFile(JSON.stringify(file)), { clock });
    const port = await board.openSerial("meter");
    const button = await board.openGpio("button");
    const edges: Edge[] = [];
    button.watch("rising", (edge) => edges.push(edge));
    clock.advance(2000);
    expect(String(Buffer.from(await port.read(100)))).toMatch(/^(T=\d+\.\d\d\r\n){2}$/);
    expect(edges.map((edge) => edge.timestampNs)).toEqual([500_000_000n, 1_500_000_000n]);
    await board.close();
    clock.advance(10_500);
    expect(edges).toHaveLength(2);
    expect(board.simulated.gpio.get("button")?.active).toBe(false);
  });

  it("lose power when they are unplugged, and start afresh when they are plugged in", async () => {
    const clock = createManualClock();
    await using board = await openBoard(parseBoardFile(JSON.stringify(file)), { clock });
    clock.advance(500);
    board.simulated.serial.get("meter")?.unplug();
    board.simulated.serial.get("meter")?.plug();
    await using port = await board.openSerial("meter");
    clock.advance(1000);
    expect(String(Buffer.from(await port.read(100)))).toMatch(/^T=\d+\.\d\d\r\n$/);
  });

  it("obey the hand on them: a button is pressed, a relay is not", async () => {
    await using board = await open();
    await using button = await board.openGpio("button");
    board.simulated.gpio.get("button")?.press(true);
    expect(await button.read()).toBe(true);
    board.simulated.gpio.get("lamp")?.press(true);
    expect(board.simulated.gpio.get("lamp")?.active).toBe(false);
  });

  it("write what happens to them to the trace: changes of outputs and requests", async () => {
    const directory = await mkdtemp(join(tmpdir(), "outstation-board-"));
    const traceFile = join(directory, "trace.ndjson");
    try {
      const clock = createManualClock(1000);
      const parsed = parseBoardFile(JSON.stringify({ ...file, trace: "/nowhere/at/all" }));
      await using board = await openBoard(parsed, { clock, traceFile });
      const lamp = await board.openGpio("lamp");
      await lamp.write(true);
      await lamp.write(true);
      clock.advance(5);
      await lamp.write(false);
      const meter = await board.openSerial("meter");
      await meter.write(Buffer.from("ID\r\n"));
      const lines = (await readFile(traceFile, "utf8")).trim().split("\n");
      expect(lines).toEqual([
        '{"t":1000,"port":"lamp","level":true}',
        '{"t":1005,"port":"lamp","level":false}',
        '{"t":1005,"port":"meter","request":"ID","reply":"ID=line-thermometer"}',
      ]);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it("say at once when the trace cannot be written", async () => {
    await expect(open({ trace: "/nowhere/at/all" })).rejects.toMatchObject({ code: "failed" });
  });
});
