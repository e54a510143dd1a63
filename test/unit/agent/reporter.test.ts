// What the operator is told: the latest state, every event in order, nothing lost to a bad moment, and no more than fits.
import { describe, expect, it } from "vitest";
import { createReporter } from "../../../src/agent/reporter.ts";
import { OutstationError } from "../../../src/base/error.ts";
import { limits } from "../../../src/base/limits.ts";
import { silentLog } from "../../../src/base/log.ts";
import { createManualClock, settle } from "../../support/manualClock.ts";

function start() {
  const clock = createManualClock();
  const published: string[] = [];
  const broker: { isOnline: boolean; hold: Promise<void> | undefined; refuses?: string } = {
    isOnline: true,
    hold: undefined,
  };
  const publish = async (what: string): Promise<void> => {
    if (!broker.isOnline) throw new Error("offline");
    if (what === broker.refuses) throw new OutstationError("too-large", "It does not fit.");
    await broker.hold;
    published.push(what);
  };
  const reporter = createReporter({
    gateway: "g",
    bootId: "boot-1",
    clock,
    log: silentLog,
    describe: () => ({}),
    keep: () => undefined,
    publishReported: ({ phase, deployment, progress }) =>
      publish(
        `${phase} ${deployment}${progress === undefined ? "" : ` ${progress.receivedBytes}/${progress.totalBytes}`}`,
      ),
    publishEvent: ({ detail, bootId }) => publish(`${bootId} ${detail}`),
  });
  const committed = (deployment: number): void =>
    reporter.report({ deployment, desired: deployment, phase: "committed" });
  const boot = (detail: string): void => reporter.event({ kind: "boot", detail });
  return { published, broker, clock, reporter, committed, boot };
}

describe("the reporter", () => {
  it("publishes the latest report only, and every event before it in order", async () => {
    const { committed, boot, published } = start();
    committed(1);
    boot("one");
    committed(2);
    boot("two");
    await settle();
    expect(published).toEqual(["boot-1 one", "boot-1 two", "committed 2"]);
  });

  it("tells the outcome of an earlier run as it was stamped there, and says when the broker has it", async () => {
    const { published, broker, reporter } = start();
    const outcome = { kind: "committed", detail: "then", at: "2027-01-01T00:00:00.000Z", bootId: "boot-0" } as const;
    let told = 0;
    broker.isOnline = false;
    reporter.tell(outcome, async () => void (told += 1));
    await settle();
    expect(told).toBe(0);
    broker.isOnline = true;
    await reporter.flush();
    expect([published, told]).toEqual([["boot-0 then"], 1]);
  });

  it("does not tell for ever what the broker refuses for good", async () => {
    const { broker, reporter } = start();
    broker.refuses = "boot-0 huge";
    let told = 0;
    reporter.tell({ kind: "committed", detail: "huge", at: "", bootId: "boot-0" }, async () => void (told += 1));
    await settle();
    expect([told, reporter.dropped]).toEqual([1, 1]);
  });

  it("tells how far a download is, only so often, and only while fetching", async () => {
    const { reporter, clock, published } = start();
    reporter.progress(1, 9);
    reporter.report({ deployment: 1, desired: 2, phase: "fetching" });
    for (let received = 1; received <= 8; received += 1) {
      await clock.advance(limits.reported.progressMs / 4);
      reporter.progress(received, 9);
      await settle();
    }
    reporter.report({ deployment: 1, desired: 2, phase: "trial" });
    await clock.advance(limits.reported.progressMs);
    reporter.progress(9, 9);
    await settle();
    expect(published).toEqual(["fetching 1", "fetching 1 4/9", "fetching 1 8/9", "trial 1"]);
  });

  it("publishes once more what changed during a publish", async () => {
    const { committed, boot, published, broker } = start();
    const hold = Promise.withResolvers<void>();
    broker.hold = hold.promise;
    committed(1);
    await settle();
    committed(2);
    boot("meanwhile");
    hold.resolve();
    await settle();
    expect(published).toEqual(["committed 1", "boot-1 meanwhile", "committed 2"]);
  });

  it("leaves nothing behind that changed in the very turn in which it became idle", async () => {
    const { committed, published } = start();
    for (let turns = 0; turns < 20; turns += 1) {
      committed(2 * turns);
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      committed(2 * turns + 1);
      await settle();
      expect(published.at(-1)).toBe(`committed ${2 * turns + 1}`);
    }
  });

  it("keeps everything while offline, and flushes it later", async () => {
    const { committed, boot, published, broker, reporter } = start();
    broker.isOnline = false;
    committed(1);
    boot("one");
    committed(2);
    await settle();
    await expect(reporter.flush()).rejects.toThrow("offline");
    broker.isOnline = true;
    await reporter.flush();
    expect(published).toEqual(["boot-1 one", "committed 2"]);
    await reporter.flush();
    expect(published.length).toBe(2);
  });

  it("keeps a report that failed on its way", async () => {
    const { committed, published, broker, reporter } = start();
    const hold = Promise.withResolvers<void>();
    broker.hold = hold.promise;
    committed(1);
    await settle();
    hold.reject(new Error("cut off"));
    await settle();
    broker.hold = undefined;
    await reporter.flush();
    expect(published).toEqual(["committed 1"]);
  });

  it("lets the oldest events go when too many wait", async () => {
    const { boot, published, broker, reporter } = start();
    broker.isOnline = false;
    for (let n = 1; n <= limits.events.waiting + 3; n += 1) boot(`${n}`);
    await settle();
    broker.isOnline = true;
    await reporter.flush();
    expect(published.length).toBe(limits.events.waiting);
    expect(published.slice(0, 1)).toEqual(["boot-1 4"]);
  });

  it("drops no other event when the one under way had to go", async () => {
    const { boot, published, broker } = start();
    const hold = Promise.withResolvers<void>();
    broker.hold = hold.promise;
    boot("1");
    await settle();
    for (let n = 2; n <= limits.events.waiting + 1; n += 1) boot(`${n}`);
    hold.resolve();
    await settle();
    expect(published.length).toBe(limits.events.waiting + 1);
  });

  it("proves that the broker is reached by something published after it was asked", async () => {
    const { published, broker, reporter } = start();
    await reporter.prove();
    expect(published).toEqual(["idle 0"]);
    broker.isOnline = false;
    await expect(reporter.prove()).rejects.toThrow("offline");
  });

  it("goes on with the rest when an event can never be published, and counts it", async () => {
    const { committed, boot, published, broker, reporter } = start();
    broker.refuses = "boot-1 two";
    boot("one");
    boot("two");
    boot("three");
    committed(1);
    await settle();
    expect(published).toEqual(["boot-1 one", "boot-1 three", "committed 1"]);
    expect(reporter.dropped).toBe(1);
  });

  it("counts the events that gave way, and cuts words that are too long for a broker", async () => {
    const { boot, published, broker, reporter } = start();
    broker.isOnline = false;
    for (let event = 0; event < limits.events.waiting + 3; event += 1) boot("x".repeat(100_000));
    expect(reporter.dropped).toBe(3);
    broker.isOnline = true;
    await reporter.flush();
    expect(Math.max(...published.map(({ length }) => length))).toBeLessThanOrEqual(
      "boot-1 ".length + limits.words.event,
    );
  });
});
