// The pure parts of the link: filters, traffic classes, acknowledgement order, packet bound, backoff, publish queue.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { limits } from "../../../src/base/limits.ts";
import { createAcknowledger, encodePuback } from "../../../src/link/acknowledge.ts";
import { createBackoff } from "../../../src/link/backoff.ts";
import { matchesFilter } from "../../../src/link/matchFilter.ts";
import { createPacketBound } from "../../../src/link/packetBound.ts";
import { createPublishQueue } from "../../../src/link/publishQueue.ts";
import { createTrafficMeter } from "../../../src/link/traffic.ts";
import { createTopics } from "../../../src/protocol/topics.ts";
import { settle } from "../../support/manualClock.ts";

it.for([
  ["a/b", "a/b", true],
  ["a/+", "a/b", true],
  ["a/+", "a/b/c", false],
  ["a/#", "a/b/c", true],
  ["a/#", "a", true],
  ["a/b/c", "a/b", false],
  ["a/b", "a/b/c", false],
] as const)("filter %s on topic %s: %s", ([filter, topic, matches]) => {
  expect(matchesFilter(filter, topic)).toBe(matches);
});

it("counts traffic by what it is for", () => {
  const topics = createTopics();
  const gateway = topics.gateway("g1");
  const meter = createTrafficMeter();
  const cases = {
    metadata: [topics.image("root.json"), gateway.director("targets.json")],
    blobs: [topics.blob("a".repeat(64), 3), gateway.get("1"), gateway.got("1", 3), gateway.got("1", "none")],
    telemetry: [gateway.telemetry("boiler", "temperature")],
    commands: [gateway.command("1"), gateway.result("1")],
    reports: [gateway.state, gateway.reported, gateway.event],
    logs: [gateway.log("boiler")],
    other: ["elsewhere", "blob/1"],
  };
  for (const topic of Object.values(cases).flat()) meter.count("out", topic, 100);
  for (const [name, of] of Object.entries(cases))
    expect(meter.out[name as keyof typeof cases]).toBe(of.join("").length + of.length * 100);
  expect(meter.in.other).toBe(0);
});

it("acknowledges in order of arrival, though a later handler finishes first", async () => {
  const sent: Uint8Array[] = [];
  const acknowledge = createAcknowledger((packet) => sent.push(packet));
  const slow = Promise.withResolvers<void>();
  acknowledge(1, slow.promise);
  acknowledge(258, Promise.resolve());
  await settle();
  expect(sent).toEqual([]);
  slow.resolve();
  await settle();
  expect(sent).toEqual([encodePuback(1), Uint8Array.of(0x40, 2, 1, 2)]);
});

it("finds the packet over the bound wherever the bytes are cut", () => {
  const packet = (length: number): number[] => [0x30, (length % 128) | 128, length >> 7, ...Array(length).fill(0xff)];
  const stream = Uint8Array.from([...packet(200), 0xd0, 0, ...packet(300), ...packet(301)]);
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
      const bound = createPacketBound(300);
      const at = [0, ...cuts.sort((a, b) => a - b), stream.length];
      const found = at.slice(1).map((end, index) => bound(stream.subarray(at[index], end)));
      expect(found).toContain(true);
      const whole = createPacketBound(301);
      expect(at.slice(1).some((end, index) => whole(stream.subarray(at[index], end)))).toBe(false);
    }),
  );
});

describe("backoff", () => {
  const { reconnectMinMs, reconnectMaxMs, stableMs } = limits.link;

  it("doubles up to its bound, jittered over the upper half, and resets only after a connection that lasted", () => {
    const backoff = createBackoff({ uuid: () => "", fraction: () => 0 });
    const waits = Array.from({ length: 10 }, () => backoff.nextMs());
    expect(waits[0]).toBe(reconnectMinMs / 2);
    expect(waits[1]).toBe(reconnectMinMs);
    expect(waits[9]).toBe(reconnectMaxMs / 2);
    backoff.ended(stableMs - 1);
    expect(backoff.nextMs()).toBe(reconnectMaxMs / 2);
    backoff.ended(stableMs);
    expect(backoff.nextMs()).toBe(reconnectMinMs / 2);
    expect(createBackoff({ uuid: () => "", fraction: () => 1 }).nextMs()).toBe(reconnectMinMs);
  });
});

describe("publish queue", () => {
  function openQueue(publishWindow: number) {
    const sent: { topic: string; done: () => void }[] = [];
    const queue = createPublishQueue();
    queue.use({
      publishWindow,
      publish: ({ topic }) => new Promise((resolve) => void sent.push({ topic, done: resolve })),
    });
    return { queue, sent };
  }

  it("keeps to its window and to its order", async () => {
    const { queue, sent } = openQueue(2);
    for (const topic of ["a", "b", "c"]) void queue.publish({ topic, payload: "" });
    expect(sent.map(({ topic }) => topic)).toEqual(["a", "b"]);
    sent[1]?.done();
    await settle();
    expect(sent.map(({ topic }) => topic)).toEqual(["a", "b", "c"]);
  });

  it("refuses more than its bound and forgets what was aborted while it waited", async () => {
    const { queue, sent } = openQueue(1);
    const abort = new AbortController();
    void queue.publish({ topic: "first", payload: "" });
    const aborted = queue.publish({ topic: "aborted", payload: "" }, abort.signal);
    for (let n = 1; n < limits.link.publishQueue; n += 1)
      queue.publish({ topic: "t", payload: "" }).catch(() => undefined);
    await expect(queue.publish({ topic: "t", payload: "" })).rejects.toMatchObject({
      code: "queue-full",
      retryable: true,
    });
    abort.abort(new Error("enough"));
    await expect(aborted).rejects.toThrow("enough");
    sent[0]?.done();
    await settle();
    expect(sent[1]?.topic).toBe("t");
    queue.close();
  });
});
