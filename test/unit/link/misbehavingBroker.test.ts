// What the link does when a broker misbehaves: one script a misbehaviour.
import { expect, it } from "vitest";
import { systemClock, type Clock } from "../../../src/base/clock.ts";
import { limits } from "../../../src/base/limits.ts";
import { openTestLink, untilOffline, untilOnline } from "../../support/links.ts";
import { createManualClock, type ManualClock } from "../../support/manualClock.ts";
import { answers, startScriptedBroker } from "../../support/scriptedBroker.ts";

const connectPacket = 1;
const publishPacket = 3;
const unsubscribePacket = 10;
const noJitter = { uuid: () => "", fraction: () => 0 };

async function untilWaiting(clock: ManualClock, ms: number): Promise<void> {
  await expect.poll(() => clock.pending()).toContain(ms);
}

it("waits the longest backoff when the broker says that its session was taken over", async () => {
  const clock = createManualClock();
  let takenOver = 0;
  await using broker = await startScriptedBroker((type, socket) => {
    if (type !== connectPacket) return undefined;
    setImmediate(() => socket.end(Uint8Array.from(answers.sessionTakenOver)));
    return answers.accepted;
  });
  await using link = openTestLink(broker.url, { clock, random: noJitter, onTakenOver: () => (takenOver += 1) });
  await untilOffline(link);
  await untilWaiting(clock, limits.link.reconnectMaxMs / 2);
  expect(takenOver).toBe(1);
});

it("has no more publishes unacknowledged than the broker's receive maximum", async () => {
  await using broker = await startScriptedBroker((type) =>
    type === connectPacket ? answers.acceptedWithReceiveMaximum(2) : undefined,
  );
  const clock = createManualClock();
  const link = openTestLink(broker.url, { clock });
  await untilOnline(link);
  const outcomes = [1, 2, 3, 4].map((n) => link.publish({ topic: "t", payload: `${n}` }).catch(() => undefined));
  await expect.poll(() => broker.received.filter((type) => type === publishPacket)).toHaveLength(2);
  const closing = link.close();
  await clock.advance(limits.link.closeTimeoutMs);
  await Promise.all([closing, ...outcomes]);
  expect(broker.received.filter((type) => type === publishPacket)).toHaveLength(2);
});

it("cuts the connection when a packet over the bound is announced, before its body comes", async () => {
  await using broker = await startScriptedBroker((type, socket) => {
    if (type !== connectPacket) return undefined;
    setImmediate(() => socket.write(Uint8Array.from(answers.endlessPublish)));
    return answers.accepted;
  });
  const warnings: unknown[] = [];
  const log = { debug() {}, info() {}, error() {}, warn: (fields: unknown) => void warnings.push(fields) };
  await using link = openTestLink(broker.url, { log });
  await untilOffline(link);
  expect(warnings).toContainEqual(expect.objectContaining({ reason: expect.stringContaining("packet over") }));
});

it("takes a connection as dead when the broker acknowledges nothing, and rejects the publish", async () => {
  const clock = createManualClock();
  await using broker = await startScriptedBroker((type) => (type === connectPacket ? answers.accepted : undefined));
  await using link = openTestLink(broker.url, { clock });
  await untilOnline(link);
  const outcome = link.publish({ topic: "t", payload: "" }).catch((error: unknown) => error);
  await clock.advance(limits.link.ackTimeoutMs);
  expect(await outcome).toMatchObject({ code: "offline", retryable: true });
  expect(link.online).toBe(false);
});

it("gives up a broker that accepts the socket and says nothing, and tries again", async () => {
  const clock = createManualClock();
  await using broker = await startScriptedBroker(() => undefined);
  await using link = openTestLink(broker.url, { clock, random: noJitter });
  await expect.poll(() => broker.received).toEqual([connectPacket]);
  await clock.advance(limits.link.connectTimeoutMs);
  await untilWaiting(clock, limits.link.reconnectMinMs / 2);
  expect(link.online).toBe(false);
});

it("keeps trying, ever more slowly, while the broker does not authorise it", async () => {
  const clock = createManualClock();
  await using broker = await startScriptedBroker(() => answers.notAuthorized);
  await using link = openTestLink(broker.url, { clock, random: noJitter });
  for (const times of [0.5, 1, 2, 4]) {
    await untilWaiting(clock, limits.link.reconnectMinMs * times);
    await clock.advance(limits.link.reconnectMinMs * times);
  }
  await expect.poll(() => broker.received).toEqual([1, 1, 1, 1, 1]);
  expect(link.online).toBe(false);
});

it("does not fall back to MQTT 3.1.1 when it was told to speak MQTT 5 only", async () => {
  const clock = createManualClock();
  await using broker = await startScriptedBroker(() => answers.versionRefused);
  await using link = openTestLink(broker.url, { clock, random: noJitter, protocol: "5" });
  await untilWaiting(clock, limits.link.reconnectMinMs / 2);
  expect(broker.received).toEqual([connectPacket]);
  expect(link.online).toBe(false);
});

it("closes while it is still connecting", async () => {
  await using broker = await startScriptedBroker(() => undefined);
  const link = openTestLink(broker.url);
  await expect.poll(() => broker.received).toEqual([connectPacket]);
  await link.close();
  await expect(link.fetch("t", { maxBytes: 1 })).rejects.toMatchObject({ code: "closed" });
});

it.each(["a/#/b", "+", "\0"])("comes online again after a message on %j, which is no topic", async (topic) => {
  let isHonest = false;
  await using broker = await startScriptedBroker((type, socket) => {
    if (type === unsubscribePacket) return answers.unsubscribed;
    if (type !== connectPacket) return undefined;
    if (!isHonest) setImmediate(() => socket.end(Uint8Array.from(answers.publish(topic))));
    isHonest = true;
    return answers.accepted;
  });
  await using link = openTestLink(broker.url, { clock: createImpatientClock() });
  await untilOffline(link);
  await untilOnline(link);
  expect(broker.received.filter((type) => type === connectPacket)).toHaveLength(2);
});

it("asks to leave only so many of the topics that a broker makes up", async () => {
  let isSent = false;
  await using broker = await startScriptedBroker((type, socket) => {
    if (type !== connectPacket) return undefined;
    if (isSent) return answers.accepted;
    isSent = true;
    const made = Array.from({ length: 10 * limits.link.leftBehind }, (_, index) => answers.publish(`t/${index}`));
    setImmediate(() => socket.end(Uint8Array.from(made.flat())));
    return answers.accepted;
  });
  await using _link = openTestLink(broker.url, { clock: createImpatientClock() });
  await expect.poll(() => broker.received.filter((type) => type === connectPacket).length).toBeGreaterThan(1);
  const asked = broker.received.filter((type) => type === unsubscribePacket);
  expect(asked.length).toBeLessThanOrEqual(limits.link.leftBehind);
});

/** Waits for nothing, so that the second connection follows the first. */
function createImpatientClock(): Clock {
  return { ...systemClock, sleep: (_ms, signal) => systemClock.sleep(0, signal) };
}
