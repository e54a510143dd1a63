// Triggers: ticks that stay on their grid, ports that are tried again, and an end that leaves nothing behind.
import { afterEach, beforeEach, expect, test } from "vitest";
import type { OpenedBoard } from "../../../devices/openBoard.ts";
import { createLender, type Lender } from "../../../src/runtime/lender/lender.ts";
import { startTriggers } from "../../../src/runtime/triggers.ts";
import { openTestBoard, parseGuestDeployment } from "../../support/guests.ts";
import { createManualClock, settle, type ManualClock } from "../../support/manualClock.ts";
import { createManualClock as createDeviceClock } from "../../support/manualDeviceClock.ts";

const deviceClock = createDeviceClock();
let board: OpenedBoard;

beforeEach(async () => {
  board = await openTestBoard(deviceClock);
});

afterEach(() => board.close());

test("ticks at once and then on the grid of the first tick", async () => {
  const { clock, fired } = start({ interval: { sample: "1s" } });
  await clock.advance(0);
  expect(fired).toEqual(["interval sample"]);
  await clock.advance(999);
  expect(fired).toHaveLength(1);
  await clock.advance(1);
  await clock.advance(3000);
  expect(fired).toHaveLength(5);
});

test("skips the ticks it was too late for and stays on the grid", async () => {
  const { clock, fired, sleepFor } = start({ interval: { sample: "1s" } });
  await clock.advance(0);
  await clock.advance(1000);
  expect(fired).toHaveLength(2);
  sleepFor(3500);
  await clock.advance(1000);
  expect(fired).toHaveLength(3);
  expect(clock.pending()).toEqual([500]);
});

test("catches up at once after a very long sleep", async () => {
  const { clock, fired, sleepFor } = start({ interval: { sample: "10ms" } });
  await clock.advance(0);
  sleepFor(1e12);
  await clock.advance(10);
  expect(fired).toHaveLength(2);
  expect(clock.pending()).toHaveLength(1);
});

test("refuses periods that a timer cannot keep", () => {
  for (const period of ["0s", "9ms", "25d"])
    expect(() => parseGuestDeployment("boiler", { triggers: { interval: { sample: period } } })).toThrow("a period of");
  for (const call of ["0s", "25d"])
    expect(() => parseGuestDeployment("boiler", { limits: { call } })).toThrow("a time of");
});

test("says that a port has a problem and tries it again after a while", async () => {
  const { clock, fired, problems } = start({ line: ["ticker"] });
  await settle();
  board.simulated.serial.get("ticker")?.unplug();
  await settle();
  expect(problems).toEqual(['line trigger "ticker"']);
  await clock.advance(1000);
  expect(problems).toHaveLength(2);
  board.simulated.serial.get("ticker")?.plug();
  await clock.advance(1000);
  deviceClock.advance(1000);
  await settle();
  expect(fired[0]).toMatch(/^line ticker,T=/);
});

test("fires and holds nothing any more after its end", async () => {
  const triggers = {
    interval: { sample: "1s" },
    line: ["ticker"],
    edge: { door: "both" },
    datagram: { ask: "127.0.0.1:0" },
  };
  const { clock, fired, problems, abort, lender } = start(triggers);
  await clock.advance(0);
  expect(fired).toEqual(["interval sample"]);
  abort.abort();
  await lender.release();
  board.simulated.gpio.get("door")?.press(true);
  await clock.advance(10_000);
  expect(fired).toEqual(["interval sample"]);
  expect(problems).toEqual([]);
  expect(clock.pending()).toEqual([]);
});

interface Started {
  readonly clock: ManualClock;
  readonly fired: string[];
  readonly problems: string[];
  readonly abort: AbortController;
  readonly lender: Lender;
  /** Time goes on while nothing runs. */
  sleepFor(ms: number): void;
}

const allGrants = {
  serial: { ticker: "read" },
  gpio: { door: "in" },
  udp: { bind: ["127.0.0.1:0"] },
};

function start(triggers: object, grants: object = allGrants): Started {
  const manual = createManualClock();
  let sleptMs = 0;
  const clock = { ...manual, monotonicMs: () => manual.monotonicMs() + sleptMs };
  const deployment = parseGuestDeployment("boiler", { grants, triggers });
  const lender = createLender({
    board,
    grants: deployment.grants,
    report: async () => undefined,
    clock,
    onDropped: () => {},
  });
  const [fired, problems]: [string[], string[]] = [[], []];
  const abort = new AbortController();
  startTriggers({
    triggers: deployment.triggers,
    lender,
    clock,
    fire: (kind, args) => void fired.push(`${kind} ${args.join(",")}`),
    onProblem: (what) => void problems.push(what),
    signal: abort.signal,
  });
  return { clock, fired, problems, abort, lender, sleepFor: (ms) => void (sleptMs += ms) };
}
