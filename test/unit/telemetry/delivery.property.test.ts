// Any mix of reports, drains, lost acknowledgements, crashes and restarts delivers every acknowledged reading, in order.
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { silentLog } from "../../../src/base/log.ts";
import { openOutbox } from "../../../src/store/outbox.ts";
import { openTelemetry } from "../../../src/telemetry/readings.ts";
import { createCollector } from "../../support/collector.ts";
import { createFaultDisk, survivals } from "../../support/faultDisk.ts";
import { createEagerClock, settle } from "../../support/manualClock.ts";

const streams = ["temperature", "pressure"] as const;
const stream = fc.constantFrom(...streams);
const step = fc.oneof(
  fc.record({ kind: fc.constant("report" as const), stream, count: fc.integer({ min: 1, max: 5 }) }),
  // Reported and not waited for: the next step may crash under it.
  fc.record({ kind: fc.constant("report-and-go" as const), stream, count: fc.integer({ min: 1, max: 250 }) }),
  // The first `arrive` documents are taken, the next is taken or not, and then the connection is gone.
  fc.record({ kind: fc.constant("drain" as const), arrive: fc.nat(6), lastArrives: fc.boolean(), hangs: fc.boolean() }),
  fc.record({ kind: fc.constant("crash" as const), turns: fc.nat(12), survival: fc.constantFrom(...survivals) }),
  fc.record({ kind: fc.constant("restart" as const) }),
);

it("delivers at least once, in order, with no gap and no unmarked repeat", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const clock = createEagerClock();
      const collector = createCollector();
      const acknowledged: { stream: string; value: number }[] = [];
      let disk = createFaultDisk();
      let value = 0;
      const boot = async () => {
        const outbox = await openOutbox(disk, "/o", {
          clock,
          log: silentLog,
          segmentBytes: 20_000,
          totalBytes: 4_000_000,
        });
        const options = { outbox, gateway: "g1", disk, directory: "/t", clock, log: silentLog };
        return { outbox, telemetry: await openTelemetry(options) };
      };
      let running = await boot();
      const report = async (name: string, count: number): Promise<void> => {
        const readings = Array.from({ length: count }, () => ({ metric: "m", value: (value += 1), t: 0 }));
        await running.telemetry.report("boiler", name, readings);
        acknowledged.push(...readings.map((reading) => ({ stream: name, value: reading.value })));
      };
      const drain = async (arrive: number, lastArrives: boolean, hangs: boolean): Promise<void> => {
        const stop = new AbortController();
        let taken = 0;
        const { telemetry, outbox } = running;
        const drained = telemetry.drain(async (component, name, document) => {
          taken += 1;
          if (taken <= arrive || (taken === arrive + 1 && lastArrives)) collector.take(component, name, document);
          if (taken > arrive)
            return hangs
              ? new Promise((_, reject) => stop.signal.addEventListener("abort", reject))
              : Promise.reject(new Error("offline"));
        }, stop.signal);
        const ended = drained.catch(() => undefined);
        const gone = (): boolean => outbox.counters.waiting === 0 || taken > arrive;
        while (!gone()) await settle();
        stop.abort(new Error("offline"));
        await ended;
      };
      const crashed = new Set<Promise<void>>();
      for (const next of steps) {
        if (next.kind === "report") await report(next.stream, next.count);
        if (next.kind === "report-and-go") crashed.add(report(next.stream, next.count).catch(() => undefined));
        if (next.kind === "drain") await drain(next.arrive, next.lastArrives, next.hangs);
        if (next.kind === "restart") {
          await running.telemetry.close();
          await running.outbox.close();
          running = await boot();
        }
        if (next.kind === "crash") {
          for (let turn = 0; turn < next.turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
          const confirmed = acknowledged.length;
          disk = disk.reboot(next.survival);
          const old = running;
          running = await boot();
          // The old process is gone: what it would still have acknowledged, nobody heard.
          await old.telemetry.close();
          await Promise.all(crashed);
          acknowledged.length = confirmed;
        }
      }
      await Promise.all(crashed);
      await running.telemetry.close();
      await drain(Number.POSITIVE_INFINITY, false, false);
      for (const name of streams) {
        const delivered = collector.readings("boiler", name);
        expect(delivered.map(([seq]) => seq)).toEqual(delivered.map((_, index) => index + 1));
        const values = new Set(delivered.map(([, reading]) => reading));
        expect(acknowledged.filter((one) => one.stream === name && !values.has(one.value))).toEqual([]);
      }
    }),
    { numRuns: 150 },
  );
});
