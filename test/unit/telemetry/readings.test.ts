// Readings on their way: batching, numbering over restarts and recycling, repeats, and every loss counted.
import { expect, it } from "vitest";
import { limits } from "../../../src/base/limits.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { Reading, TelemetryDocument } from "../../../src/protocol/reports.ts";
import { openOutbox } from "../../../src/store/outbox.ts";
import { openTelemetry, type Telemetry } from "../../../src/telemetry/readings.ts";
import { createCollector } from "../../support/collector.ts";
import { createFaultDisk, type FaultDisk } from "../../support/faultDisk.ts";
import { createEagerClock, createManualClock, settle } from "../../support/manualClock.ts";

const sizes = { segmentBytes: 4096, totalBytes: 16_384 };

async function open(disk: FaultDisk, clock = createEagerClock(), bytes: Partial<typeof sizes> = sizes) {
  const outbox = await openOutbox(disk, "/outbox", { clock, log: silentLog, ...bytes });
  const options = { outbox, gateway: "g1", disk, directory: "/telemetry", clock, log: silentLog };
  return { outbox, telemetry: await openTelemetry(options) };
}

function readingsOf(...values: number[]): Reading[] {
  return values.map((value) => ({ metric: "t", value, t: value }));
}

/** Drains until the outbox is empty. */
async function drainAll(
  { outbox, telemetry }: Awaited<ReturnType<typeof open>>,
  take: (component: string, stream: string, document: TelemetryDocument) => void,
): Promise<void> {
  const stop = new AbortController();
  const drained = telemetry.drain(async (...taken) => take(...taken), stop.signal);
  while (outbox.counters.waiting > 0) await settle();
  stop.abort();
  await drained;
}

it("gathers readings of one stream into one document until it is full or old", async () => {
  const clock = createManualClock();
  const opened = await open(createFaultDisk(), clock, { segmentBytes: 65_536, totalBytes: 200_000 });
  const { telemetry, outbox } = opened;
  const early = [telemetry.report("boiler", "t", readingsOf(1, 2)), telemetry.report("boiler", "t", readingsOf(3))];
  await clock.advance(limits.outbox.batchMs - 1);
  expect(outbox.counters.waiting).toBe(0);
  await clock.advance(1 + limits.outbox.commitMs);
  await Promise.all(early);
  expect(outbox.counters.waiting).toBe(1);
  const many = telemetry.report("boiler", "t", readingsOf(...Array(limits.outbox.batchReadings + 1).keys()));
  await clock.advance(limits.outbox.commitMs);
  await clock.advance(limits.outbox.commitMs);
  await many;
  const [record] = await outbox.peek(1, 1);
  expect(JSON.parse(Buffer.from(record?.payload ?? []).toString())).toEqual({
    component: "boiler",
    stream: "t",
    seq: 1,
    readings: readingsOf(1, 2, 3),
  });
  expect(outbox.counters.waiting).toBe(3);
});

it("goes on numbering after a restart, though every record of the stream was delivered and recycled", async () => {
  const disk = createFaultDisk();
  const first = await open(disk);
  const collector = createCollector();
  await first.telemetry.report("boiler", "rare", readingsOf(1, 2, 3));
  for (let value = 0; value < 300; value += 1) {
    await first.telemetry.report("boiler", "often", readingsOf(value));
    if (value % 20 === 0) await drainAll(first, collector.take);
  }
  await drainAll(first, collector.take);
  const second = await open(disk.reboot());
  await second.telemetry.report("boiler", "rare", readingsOf(4));
  await second.telemetry.report("boiler", "often", readingsOf(300));
  await drainAll(second, collector.take);
  expect(collector.readings("boiler", "rare")).toEqual([1, 2, 3, 4].map((n) => [n, n]));
  expect(collector.readings("boiler", "often").at(-1)).toEqual([301, 300]);
  expect(second.telemetry.counters).toMatchObject({
    reported: 2,
    published: 2,
    dropped: { busy: 0, disk: 0, full: 0 },
  });
});

it("counts every reading that a full outbox drops, and numbers on over the gap", async () => {
  const disk = createFaultDisk();
  const first = await open(disk);
  for (let value = 1; value <= 400; value += 1) await first.telemetry.report("boiler", "t", readingsOf(value));
  const { full } = first.telemetry.counters.dropped;
  expect(full).toBeGreaterThan(0);
  const second = await open(disk.reboot());
  await second.telemetry.report("boiler", "t", readingsOf(401));
  const collector = createCollector();
  await drainAll(second, collector.take);
  const expected = Array.from({ length: 401 - full }, (_, n) => [full + 1 + n, full + 1 + n]);
  expect(collector.readings("boiler", "t")).toEqual(expected);
});

it("spends no number on readings that the disk did not take", async () => {
  const opened = await open(createFaultDisk());
  let failing = true;
  const { outbox } = opened;
  const flaky = {
    ...bind(outbox),
    append: (bytes: Uint8Array) => (failing ? Promise.reject(new Error("EIO")) : outbox.append(bytes)),
  };
  const options = {
    outbox: flaky,
    gateway: "g1",
    disk: createFaultDisk(),
    directory: "/t",
    clock: createEagerClock(),
    log: silentLog,
  };
  const telemetry = await openTelemetry(options);
  await expect(telemetry.report("boiler", "t", readingsOf(1))).rejects.toMatchObject({ code: "disk" });
  failing = false;
  await telemetry.report("boiler", "t", readingsOf(2));
  const collector = createCollector();
  await drainAll({ outbox, telemetry }, collector.take);
  expect(collector.readings("boiler", "t")).toEqual([[1, 2]]);
  expect(telemetry.counters).toEqual({ reported: 2, published: 1, dropped: { busy: 0, disk: 1, full: 0 } });
});

function bind(outbox: Awaited<ReturnType<typeof openOutbox>>) {
  return {
    nextSequence: outbox.nextSequence,
    peek: outbox.peek.bind(outbox),
    history: outbox.history.bind(outbox),
    acknowledge: outbox.acknowledge.bind(outbox),
    waitForRecords: outbox.waitForRecords.bind(outbox),
    beforeRecycle: outbox.beforeRecycle.bind(outbox),
  };
}

it("acknowledges what arrived before a failure, and marks the rest when it comes again", async () => {
  const { telemetry, outbox } = await open(createFaultDisk());
  for (const value of [1, 2, 3]) await telemetry.report("boiler", "t", readingsOf(value));
  const seen: [number, boolean][] = [];
  const publish = (fails: number) => async (_: string, __: string, document: TelemetryDocument) => {
    seen.push([document.seq, document.resent ?? false]);
    if (document.seq === fails) throw new Error("offline");
  };
  await expect(telemetry.drain(publish(2), new AbortController().signal)).rejects.toThrow("offline");
  expect(outbox.counters.waiting).toBe(2);
  await telemetry.report("boiler", "t", readingsOf(4));
  await drainAll({ telemetry, outbox }, (_, __, document) => seen.push([document.seq, document.resent ?? false]));
  expect(seen).toEqual([
    [1, false],
    [2, false],
    [3, false],
    [2, true],
    [3, true],
    [4, false],
  ]);
});

it("takes no more than its bounds, and counts what it refuses", async () => {
  const { telemetry } = await open(createFaultDisk(), createManualClock(), {});
  const taken = report(telemetry, limits.outbox.pendingReadings);
  await expect(report(telemetry, 1)).rejects.toMatchObject({ code: "busy", retryable: true });
  const long: Reading = { metric: "t", value: "x".repeat(limits.outbox.batchBytes), t: 0 };
  await expect(telemetry.report("boiler", "long", [long])).rejects.toMatchObject({ code: "busy" });
  expect(telemetry.counters.dropped.busy).toBe(2);
  taken.catch(() => undefined);
});

function report(telemetry: Telemetry, count: number): Promise<void> {
  return telemetry.report("boiler", "t", readingsOf(...Array(count).keys()));
}

it("flushes what waits when it is closed, and takes nothing after", async () => {
  const disk = createFaultDisk();
  const { telemetry, outbox } = await open(disk, createManualClock());
  const reported = telemetry.report("boiler", "t", readingsOf(1));
  const closing = telemetry.close();
  await outbox.close();
  await Promise.all([reported, closing]);
  await expect(telemetry.report("boiler", "t", readingsOf(2))).rejects.toMatchObject({ code: "closed" });
  expect((await open(disk.reboot())).outbox.counters.waiting).toBe(1);
});

it("goes on after a gap, and never uses a number twice, when its numbering is damaged", async () => {
  const disk = createFaultDisk();
  const numbers: number[] = [];
  const take = (_component: string, _stream: string, { seq, readings }: TelemetryDocument): void =>
    void numbers.push(...readings.map((_, index) => seq + index));
  for (const damage of ["", '{"through":', '{"through":1,"next":{"boiler/t":"many"},"first":1}']) {
    const opened = await open(disk);
    for (let round = 0; round < 40; round += 1) await opened.telemetry.report("boiler", "t", readingsOf(1, 2, 3));
    await drainAll(opened, take);
    await opened.telemetry.close();
    await opened.outbox.close();
    await disk.writeFile("/telemetry/streams.json", Buffer.from(damage));
  }
  const opened = await open(disk);
  await opened.telemetry.report("boiler", "t", readingsOf(1));
  await opened.telemetry.report("boiler", "new", readingsOf(1));
  await drainAll(opened, take);
  const ofStream = numbers.slice(0, 3 * 40 * 3 + 1);
  expect(new Set(ofStream).size).toBe(ofStream.length);
});
