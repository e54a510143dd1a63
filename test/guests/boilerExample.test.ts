// The boiler of examples/, as it is deployed: it lives through an unplugged thermometer.
import { expect, test } from "vitest";
import { buildExample } from "../../examples/build.ts";
import { systemDeviceClock } from "../../devices/clock.ts";
import { openGuests, openTestBoard } from "../support/guests.ts";

test("goes on reporting when the thermometer is plugged in again, and never ends meanwhile", async () => {
  await using guests = await openGuests((name) => buildExample(name));
  await using board = await openTestBoard(systemDeviceClock);
  const thermometer = board.simulated.serial.get("probe");
  let reported = 0;
  const { component, ends } = await guests.start("boiler", {
    board,
    report: async () => void (reported += 1),
    deployment: {
      grants: { serial: { probe: "read-write" }, gpio: { relay: "out" }, udp: { send: ["127.0.0.1:9"] } },
      triggers: { interval: { sample: "20ms" } },
    },
  });
  await component.healthy;
  await expect.poll(() => reported).toBeGreaterThan(3);
  thermometer?.unplug();
  expect(JSON.parse(await component.message("relay", '{"on":true}'))).toEqual({ relay: true });
  const before = reported;
  thermometer?.plug();
  await expect.poll(() => reported, { timeout: 20_000 }).toBeGreaterThan(before + 3);
  expect(ends).toEqual([]);
  expect(component.restarts).toBe(0);
});
