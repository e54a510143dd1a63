// Components that are spoken to: answers, their own errors, throws, and crash loops.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { OpenedBoard } from "../../devices/openBoard.ts";
import { limits } from "../../src/base/limits.ts";
import { openGuests, openTestBoard, type Guests } from "../support/guests.ts";
import { createManualClock } from "../support/manualClock.ts";

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

test("answers a message in the component's own words", async () => {
  const { component } = await guests.start("echo", { board });
  await component.healthy;
  expect(await component.message("echo", '{"a":1}')).toBe('{"a":1}');
});

test("keeps a message that comes before the component has started until it has", async () => {
  const { component } = await guests.start("echo", { board });
  expect(component.status).toBe("starting");
  expect(await component.message("echo", '"early"')).toBe('"early"');
  await component.healthy;
  expect(component.status).toBe("running");
});

test("hands the caller the component's own error, and the component lives on", async () => {
  const { component, ends } = await guests.start("echo", { board });
  await expect(component.message("nope", "")).rejects.toMatchObject({
    code: "answered-error",
    message: 'There is no method "nope"; there is "echo".',
  });
  expect(await component.message("echo", "1")).toBe("1");
  expect(ends).toEqual([]);
});

test("refuses an answer and a call that are larger than their bounds", async () => {
  const { component } = await guests.start("echo", { board });
  const tooLong = String(limits.command.answerBytes + 1);
  await expect(component.message("long", tooLong)).rejects.toThrow("the answer is too long");
  const tooLarge = "x".repeat(limits.component.callBytes);
  await expect(component.message("echo", tooLarge)).rejects.toMatchObject({ code: "too-large" });
  expect(await component.message("long", "3")).toBe("xxx");
});

test("says that a component without on-message takes no calls", async () => {
  const deployment = { grants: { serial: { ticker: "read" } }, triggers: { line: ["ticker"] } };
  const { component } = await guests.start("line-follower", { board, deployment });
  await expect(component.message("echo", "")).rejects.toMatchObject({ code: "no-handler" });
});

test("ends a component whose tick throws, and says what it threw", async () => {
  const { component, ends } = await guests.start("trapper", {
    board,
    deployment: { triggers: { interval: { tick: "1s" } } },
  });
  await expect(component.healthy).rejects.toThrow("the valve is stuck");
  expect(ends[0]?.reason).toMatch(/the valve is stuck.* — on-interval trapped: /);
  expect(component.status).toBe("stopped");
  await expect(component.message("x", "")).rejects.toMatchObject({ code: "not-running" });
});

test("ends a component that exhausts its stack without answering in its name", async () => {
  const { component, ends, witness } = await guests.start("trapper", { board });
  await expect(component.message("recurse", "")).rejects.toMatchObject({ code: "not-running" });
  await witness.until(() => component.status === "stopped");
  expect(ends[0]?.reason).toContain("call stack");
});

test("restarts a component that crashes, each time after a longer wait, and says how often", async () => {
  const clock = createManualClock();
  const deployment = { triggers: { interval: { tick: "1s" } } };
  const { component, witness, ends } = await guests.start("trapper", {
    board,
    clock,
    deployment,
    afterCrash: "restart",
  });
  const { restartMinMs } = limits.component;
  for (const [life, delayMs] of [restartMinMs, 2 * restartMinMs, 4 * restartMinMs].entries()) {
    await clock.advance(0);
    await tickUntil(clock, () => component.status === "backing-off" && ends.length === life + 1);
    expect(component.restarts).toBe(life);
    await clock.advance(delayMs - 1);
    expect(component.status).toBe("backing-off");
    await clock.advance(1);
    expect(component.restarts).toBe(life + 1);
    expect(component.reason).toContain("the valve is stuck");
  }
  await component.stop();
  expect(component.status).toBe("stopped");
  expect(witness.problems).toEqual([]);
});

/** The first tick is due at once, when the worker is ready; that is the machine's time and not the clock's. */
async function tickUntil(clock: ReturnType<typeof createManualClock>, condition: () => boolean): Promise<void> {
  while (!condition()) await clock.advance(0);
}
