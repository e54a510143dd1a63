// Components that run by themselves from start to end.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { OpenedBoard } from "../../devices/openBoard.ts";
import { openGuests, openTestBoard, type Guests } from "../support/guests.ts";

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

test("runs a program to its end: configuration as text, a clock that goes on, its lines in order", async () => {
  const config = { greeting: "good morning", setpoint: { celsius: 61.5 } };
  const { component, witness, ends } = await guests.start("program", { board, deployment: { config } });
  await component.healthy;
  await witness.until(() => component.status === "finished");
  expect(witness.lines).toEqual(["greeting good morning", "missing null", "keys 2", "clock went on true", "psst"]);
  expect(component.reason).toBe("the program returned");
  expect(ends).toEqual([]);
});

test("takes an error from run as a crash and adds what the program said last on stderr", async () => {
  const { component, witness, ends } = await guests.start("program", { board, deployment: { config: { fail: true } } });
  await witness.until(() => component.status === "stopped");
  expect(ends).toMatchObject([{ kind: "crashed", reason: "psst — run returned an error" }]);
});
