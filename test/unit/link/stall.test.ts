// A transfer that is slow goes on, one that stands still is noticed, and one of something else does not hide it for ever.
import { expect, it } from "vitest";
import { limits } from "../../../src/base/limits.ts";
import { watchStall } from "../../../src/link/stall.ts";
import { createTrafficMeter } from "../../../src/link/traffic.ts";
import { createManualClock } from "../../support/manualClock.ts";

const timeoutMs = 10_000;
const { trickleBytes, trickles } = limits.link;

function start() {
  const clock = createManualClock();
  const socket = { in: 0, out: 0 };
  const link = { online: true, traffic: { ...createTrafficMeter(), socket } };
  let stalls = 0;
  const stall = watchStall(link, { clock, timeoutMs }, () => (stalls += 1));
  const pass = async (bytes: number): Promise<number> => {
    socket.in += bytes;
    await clock.advance(timeoutMs);
    return stalls;
  };
  return { clock, link, stall, pass };
}

it("is noticed once, when nothing came", async () => {
  const { pass, clock } = start();
  expect([await pass(trickleBytes - 1), await pass(0)]).toEqual([1, 1]);
  expect(clock.pending()).toEqual([]);
});

it("is none while chunks come, or while the link is down", async () => {
  const { pass, stall, link } = start();
  for (let look = 0; look < 2 * trickles; look += 1) {
    stall.moved();
    expect(await pass(0)).toBe(0);
  }
  link.online = false;
  for (let look = 0; look < 2 * trickles; look += 1) expect(await pass(0)).toBe(0);
  link.online = true;
  expect(await pass(0)).toBe(1);
});

it("is none while bytes trickle in, for so long", async () => {
  const { pass, stall } = start();
  for (let look = 0; look < trickles; look += 1) expect(await pass(trickleBytes)).toBe(0);
  stall.moved();
  expect(await pass(trickleBytes)).toBe(0);
  for (let look = 0; look < trickles; look += 1) expect(await pass(trickleBytes)).toBe(0);
  expect(await pass(trickleBytes)).toBe(1);
});

it("is not looked for any more when it is over", async () => {
  const { pass, stall, clock } = start();
  stall.stop();
  expect(await pass(0)).toBe(0);
  expect(clock.pending()).toEqual([]);
});
