// Components that take more than their share: of time, memory, log lines and readings. Only they are hurt.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { OpenedBoard } from "../../devices/openBoard.ts";
import { limits } from "../../src/base/limits.ts";
import type { Reading } from "../../src/protocol/reports.ts";
import { openGuests, openTestBoard, type Guests } from "../support/guests.ts";
import { createManualClock, settle } from "../support/manualClock.ts";

const MiB = 1024 * 1024;
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

test("ends a tick that never returns at its deadline, while a neighbour goes on answering", async () => {
  const clock = createManualClock();
  const neighbour = await guests.start("echo", { board });
  await neighbour.component.healthy;
  const deployment = { triggers: { interval: { forever: "1h" } }, limits: { call: "2s" } };
  const { component, witness, ends } = await guests.start("spinner", { board, clock, deployment });
  while (witness.lines.length === 0) await clock.advance(0);
  expect(await neighbour.component.message("echo", "1")).toBe("1");
  await clock.advance(1999);
  expect(ends).toEqual([]);
  await clock.advance(1);
  await expect(component.healthy).rejects.toThrow("on-interval did not return within 2000 ms");
  expect(ends[0]).toMatchObject({ kind: "crashed", reason: "on-interval did not return within 2000 ms" });
  expect(await neighbour.component.message("echo", "2")).toBe("2");
});

test("ends a component that uses more than its share of a core, and not one that is idle", async () => {
  const clock = createManualClock();
  const deployment = { limits: { call: "1h", cpu: "0.001%" } };
  const idle = await guests.start("echo", { board, clock, deployment: { limits: { cpu: "90%" } } });
  const busy = await guests.start("spinner", { board, clock, deployment });
  await Promise.all([idle.component.healthy, busy.component.healthy]);
  const watches = (): number => clock.pending().filter((ms) => ms === limits.component.cpuWindowMs).length;
  while (watches() < 2) await settle();
  const answer = busy.component.message("spin", "").catch((error: unknown) => error);
  await busy.witness.said("spinning");
  await clock.advance(limits.component.cpuWindowMs);
  expect(await answer).toMatchObject({ code: "not-running" });
  await busy.witness.until(() => busy.ends.length === 1);
  expect(busy.ends[0]?.reason).toMatch(/^it used \d+% of a core for 10 s; its limit is 0%/);
  expect(idle.ends).toEqual([]);
});

test("refuses memory beyond the limit and lets the component go on with what it has", async () => {
  const { component, ends } = await guests.start("hog", { board, deployment: { limits: { memory: "16MiB" } } });
  const heldBytes = Number(await component.message("grow", ""));
  expect(heldBytes).toBeGreaterThan(8 * MiB);
  expect(heldBytes).toBeLessThan(16 * MiB);
  expect(Number(await component.message("grow", ""))).toBe(heldBytes);
  expect(ends).toEqual([]);
});

test("gives a component with a larger limit more memory", async () => {
  const { component } = await guests.start("hog", { board, deployment: { limits: { memory: "24MiB" } } });
  expect(Number(await component.message("grow", ""))).toBeGreaterThan(16 * MiB);
});

test("ends only the component that dies of its memory limit", async () => {
  const neighbour = await guests.start("echo", { board });
  const deployment = { triggers: { interval: { grow: "1h" } }, limits: { memory: "16MiB" } };
  const { component, ends } = await guests.start("hog", { board, deployment });
  await expect(component.healthy).rejects.toThrow("out of memory");
  expect(ends[0]?.reason).toContain("out of memory");
  expect(await neighbour.component.message("echo", "1")).toBe("1");
});

test("ends a component at its start when its limit is below what it begins with", async () => {
  const { component } = await guests.start("echo", { board, deployment: { limits: { memory: "64KiB" } } });
  await expect(component.healthy).rejects.toThrow("over its limit of 65536");
});

test("drops and counts the lines over the log rate", async () => {
  const { component, witness } = await guests.start("flood-log", { board, deployment: { limits: { logs: "10/s" } } });
  await component.message("flood", '{"lines":300,"pieces":1}');
  expect(witness.lines.length).toBeGreaterThanOrEqual(10);
  expect(witness.counts["log"]).toBe(300 - witness.lines.length);
});

test("cuts a line that is too long", async () => {
  const { component, witness } = await guests.start("flood-log", { board });
  await component.message("flood", '{"lines":2,"pieces":20}');
  expect(witness.lines.map((line) => line.length)).toEqual([
    limits.component.logLineBytes,
    limits.component.logLineBytes,
  ]);
});

test("answers readings over the rate with too-many, and counts them", async () => {
  const taken: Reading[] = [];
  const { component, witness } = await guests.start("flood-readings", {
    board,
    deployment: { limits: { readings: "10/s" } },
    report: async (_stream, readings) => void taken.push(...readings),
  });
  const answers = JSON.parse(await component.message("flood", '{"reports":60}')) as Record<string, number>;
  expect(answers["too-many"]).toBeGreaterThan(0);
  expect(answers["taken"]).toBe(taken.length);
  expect(witness.counts["reading"]).toBe(answers["too-many"]);
  expect(taken.length + (witness.counts["reading"] ?? 0)).toBe(60);
});

test("drops and counts the calls over the queue's depth", async () => {
  const deployment = {
    grants: { gpio: { door: "in" } },
    triggers: { edge: { door: "both" } },
    limits: { logs: "1000/s" },
  };
  const { component, witness } = await guests.start("edge-counter", { board, deployment });
  await component.healthy;
  await settle();
  const door = board.simulated.gpio.get("door");
  // All in one turn, so that none is answered meanwhile: one runs, `queueDepth` wait.
  for (let press = 0; press < 100; press++) door?.press(!door.active);
  await witness.until(() => witness.lines.length === limits.component.queueDepth + 1);
  expect(witness.counts["call"]).toBe(100 - limits.component.queueDepth - 1);
});
