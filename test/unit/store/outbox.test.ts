// The outbox beyond the fault sweep: group commit, bounds, recycling, breaking, waiting, and a damaged medium.
import { expect, it } from "vitest";
import type { Disk } from "../../../src/base/disk.ts";
import { limits } from "../../../src/base/limits.ts";
import { silentLog } from "../../../src/base/log.ts";
import { openOutbox, type Outbox } from "../../../src/store/outbox.ts";
import { encodeRecord, parseRecord } from "../../../src/store/outboxRecord.ts";
import { createFaultDisk, type FaultDisk } from "../../support/faultDisk.ts";
import { createEagerClock, createManualClock, settle } from "../../support/manualClock.ts";

const small = { clock: createEagerClock(), log: silentLog, segmentBytes: 512, totalBytes: 2048 };

async function fill(outbox: Outbox, count: number, label = "r"): Promise<void> {
  for (let n = 1; n <= count; n += 1) await outbox.append(Buffer.from(`${label}${n}`.padEnd(80)));
}

async function texts(outbox: Outbox): Promise<string[]> {
  const all: string[] = [];
  for (let records = await outbox.peek(9, 9999); records.length > 0; records = await outbox.peek(9, 9999)) {
    all.push(...records.map(({ payload }) => Buffer.from(payload).toString().trim()));
    await outbox.acknowledge(records.at(-1)?.sequence ?? 0);
  }
  return all;
}

it("syncs once for everything that came within one commit", async () => {
  const clock = createManualClock();
  const disk = createFaultDisk();
  const outbox = await openOutbox(disk, "/o", { clock, log: silentLog, segmentBytes: 65_536, totalBytes: 200_000 });
  const first = outbox.append(Buffer.from("first"));
  await clock.advance(limits.outbox.commitMs);
  await first;
  const before = disk.operations;
  const appends = Array.from({ length: 100 }, (_, n) => outbox.append(Buffer.from(`${n}`)));
  await clock.advance(limits.outbox.commitMs);
  await Promise.all(appends);
  expect(disk.operations - before).toBe(2);
});

it("drops the oldest when it is full, counts it, and says so before it does", async () => {
  const disk = createFaultDisk();
  const outbox = await openOutbox(disk, "/o", small);
  const lost: string[] = [];
  outbox.beforeRecycle(async (_through, records) => {
    lost.push(...records.map(({ payload }) => Buffer.from(payload).toString().trim()));
  });
  await fill(outbox, 40);
  const { waiting, dropped } = outbox.counters;
  expect(dropped.full).toBe(lost.length);
  expect(waiting + dropped.full).toBe(40);
  expect((await disk.list("/o")).filter((name) => name.startsWith("segment"))).toHaveLength(4);
  const kept = await texts(outbox);
  expect([...lost, ...kept]).toEqual(Array.from({ length: 40 }, (_, n) => `r${n + 1}`));
  expect((await openOutbox(disk, "/o", small)).counters.dropped.full).toBe(lost.length);
});

it("keeps the old records, and takes no new ones, while the old cannot be accounted for", async () => {
  const outbox = await openOutbox(createFaultDisk(), "/o", small);
  let full = true;
  outbox.beforeRecycle(async () => {
    if (full) throw new Error("ENOSPC");
  });
  await expect(fill(outbox, 40)).rejects.toMatchObject({ code: "disk", retryable: true });
  const { waiting } = outbox.counters;
  full = false;
  await fill(outbox, 1, "after");
  expect(outbox.counters.waiting + outbox.counters.dropped.full).toBe(waiting + 1);
});

it("is broken for good by one failed sync, and says to restart", async () => {
  const probe = createFaultDisk();
  await fill(await openOutbox(probe, "/o", small), 3);
  const disk = createFaultDisk({ kind: "fail", at: probe.operations });
  const outbox = await openOutbox(disk, "/o", small);
  await expect(fill(outbox, 3)).rejects.toMatchObject({ code: "broken", message: expect.stringContaining("restart") });
  const operations = disk.operations;
  await expect(outbox.append(Buffer.from("x"))).rejects.toMatchObject({ code: "broken" });
  await expect(outbox.acknowledge(1)).rejects.toMatchObject({ code: "broken" });
  expect(disk.operations).toBe(operations);
  expect(await texts(await openOutbox(disk.reboot(), "/o", small))).toEqual(["r1", "r2"]);
});

it("skips and counts records that the medium damaged, wherever they are", async () => {
  for (const position of [40, 150, 440]) {
    const disk: FaultDisk = createFaultDisk();
    await fill(await openOutbox(disk, "/o", small), 12);
    disk.damage("/o/segment-0", position);
    const reopened = await openOutbox(disk, "/o", small);
    const kept = await texts(reopened);
    expect(kept.at(-1)).toBe("r12");
    expect(kept.length + reopened.counters.dropped.damaged).toBe(12);
    expect(reopened.counters.dropped.damaged).toBeGreaterThan(0);
  }
});

it("skips a record that is damaged while it runs, and one cursor slot that is damaged", async () => {
  const disk = createFaultDisk();
  const outbox = await openOutbox(disk, "/o", small);
  await fill(outbox, 8);
  await outbox.acknowledge(1);
  await outbox.acknowledge(2);
  disk.damage("/o/segment-0", 32 + 96 * 3 + 20);
  disk.damage("/o/cursor", 10);
  const reopened = await openOutbox(disk, "/o", small);
  expect(reopened.counters.waiting).toBe(7);
  expect(await texts(outbox)).toEqual(["r3", "r5", "r6", "r7", "r8"]);
  expect(outbox.counters.dropped.damaged).toBe(1);
});

it.each([[[]], [["kept"]]])("takes no record left behind a torn one for a new one, after %o", async (earlier) => {
  const pair = async (disk: FaultDisk): Promise<void> => {
    const outbox = await openOutbox(disk, "/o", small);
    for (const text of earlier) await outbox.append(Buffer.from(text.padEnd(80)));
    await Promise.all(["a", "b"].map((text) => outbox.append(Buffer.from(text.padEnd(80)))));
  };
  const probe = createFaultDisk();
  await pair(probe);
  const disk = createFaultDisk({ kind: "cut", at: probe.operations, survival: "second-half" });
  await expect(pair(disk)).rejects.toMatchObject({ code: "broken" });
  const second = disk.reboot("second-half");
  await fill(await openOutbox(second, "/o", small), 1, "new");
  expect(await texts(await openOutbox(second.reboot(), "/o", small))).toEqual([...earlier, "new1"]);
});

it("never recycles a segment that is being read", async () => {
  const disk = createFaultDisk();
  const gate = Promise.withResolvers<void>();
  let slow = false;
  const slowDisk: Disk = {
    ...disk,
    openFile: async (path, sizeBytes) => {
      const file = await disk.openFile(path, sizeBytes);
      const read = async (position: number, length: number): Promise<Uint8Array> => {
        const waits = slow;
        slow = false;
        if (waits) await gate.promise;
        return file.read(position, length);
      };
      return { ...file, read };
    },
  };
  const outbox = await openOutbox(slowDisk, "/o", small);
  await fill(outbox, 16);
  slow = true;
  const peeking = outbox.peek(4, 9999);
  const filling = fill(outbox, 8, "more");
  await settle();
  await settle();
  gate.resolve();
  const records = await peeking;
  expect(records.map(({ payload }) => Buffer.from(payload).toString().trim())).toEqual(["r1", "r2", "r3", "r4"]);
  await filling;
  expect(outbox.counters.dropped.damaged).toBe(0);
  expect(outbox.counters.dropped.full + outbox.counters.waiting).toBe(24);
});

it("takes no record of a segment's former life, whatever its sequence", () => {
  const bytes = encodeRecord({ sequence: 7, payload: Buffer.from("old") }, 1);
  expect(parseRecord(bytes, 0, 1)?.sequence).toBe(7);
  expect(parseRecord(bytes, 0, 2)).toBeUndefined();
});

it("refuses a record over its bound, and more than it may hold in memory", async () => {
  const clock = createManualClock();
  const outbox = await openOutbox(createFaultDisk(), "/o", { clock, log: silentLog });
  await expect(outbox.append(new Uint8Array(limits.outbox.recordBytes + 1))).rejects.toMatchObject({
    code: "too-large",
  });
  const outcomes = Array.from({ length: 20 }, () =>
    outbox.append(new Uint8Array(limits.outbox.recordBytes)).then(
      () => "kept",
      (error) => error.code,
    ),
  );
  await clock.advance(limits.outbox.commitMs);
  expect(new Set(await Promise.all(outcomes))).toEqual(new Set(["kept", "busy"]));
});

it("wakes who waits for records, and lets go when told to", async () => {
  const outbox = await openOutbox(createFaultDisk(), "/o", small);
  const stop = new AbortController();
  const abandoned = outbox.waitForRecords(stop.signal);
  stop.abort(new Error("enough"));
  await expect(abandoned).rejects.toThrow("enough");
  const waiting = outbox.waitForRecords(new AbortController().signal);
  await fill(outbox, 1);
  await waiting;
  await outbox.close();
  await expect(outbox.append(Buffer.from("late"))).rejects.toMatchObject({ code: "closed" });
});

it("commits what waits when it is closed", async () => {
  const disk = createFaultDisk();
  const outbox = await openOutbox(disk, "/o", { ...small, clock: createManualClock() });
  const appended = outbox.append(Buffer.from("last"));
  await outbox.close();
  await appended;
  expect(await texts(await openOutbox(disk.reboot(), "/o", small))).toEqual(["last"]);
});
