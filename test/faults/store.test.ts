// Fails or cuts the power at every single disk operation of the store, reopens, and checks what must hold.
import { describe, expect, it } from "vitest";
import { silentLog } from "../../src/base/log.ts";
import type { VerifiedTarget } from "../../src/protocol/release.ts";
import { openComponentStore } from "../../src/store/componentStore.ts";
import { type CommittedSet, openDeploymentStore } from "../../src/store/deploymentStore.ts";
import { openOutbox, type Outbox } from "../../src/store/outbox.ts";
import { createFaultDisk, type Fault, type FaultDisk, survivals } from "../support/faultDisk.ts";
import { installBytes, readInstalled, targetFor } from "../support/installed.ts";
import { createEagerClock } from "../support/manualClock.ts";

const clock = createEagerClock();
const options = { clock, log: silentLog };
const kinds = [{ kind: "fail" }, ...survivals.map((survival) => ({ kind: "cut", survival }) as const)] as const;

/** Runs the scenario with the fault at operation 1, 2, 3 … until it ends before the fault comes. */
async function everywhere(start: FaultDisk, kind: (typeof kinds)[number], run: (disk: FaultDisk) => Promise<void>) {
  for (let at = 1; ; at += 1) {
    const disk = start.reboot("kept", { ...kind, at } as Fault);
    await run(disk);
    if (!disk.hit) return at - 1;
  }
}

interface Component {
  readonly bytes: Uint8Array;
  readonly target: VerifiedTarget;
}

function component(text: string): Component {
  return { bytes: Buffer.from(text), target: targetFor(Buffer.from(text)) };
}

function setOf(version: number, { target }: Component): CommittedSet {
  const boiler = {
    release: `boiler@1.0.${version}`,
    sha256: target.sha256,
    counter: version,
    lengthBytes: target.lengthBytes,
  };
  return { version, deployment: { version, gateway: "g1", components: {} }, components: { boiler } };
}

describe.each(kinds)("an update with %o at every operation", (kind) => {
  it("leaves the old or the new deployment active, with its component whole", async () => {
    const [old, next] = [component("old"), component("new")];
    const update = async (disk: FaultDisk, version: number, installed: Component): Promise<void> => {
      const components = await openComponentStore(disk, "/components", silentLog);
      const deployments = await openDeploymentStore(disk, "/state", options);
      await installBytes(components, installed.bytes);
      await deployments.beginTrial(setOf(version, installed));
      await deployments.commitTrial({ kind: "committed", detail: "", at: "", bootId: "" });
      await components.prune(new Set([installed.target.sha256]));
    };
    const start = createFaultDisk();
    await update(start, 1, old);
    const seen = new Set<number>();
    const cuts = await everywhere(start, kind, async (disk) => {
      await update(disk, 2, next).catch(() => undefined);
      const survivor = disk.reboot();
      const { active } = (await openDeploymentStore(survivor, "/state", options)).read();
      const store = await openComponentStore(survivor, "/components", silentLog);
      seen.add(active?.version ?? 0);
      const bytes = await readInstalled(survivor, store, active?.components["boiler"]?.sha256 ?? "");
      expect(Buffer.from(bytes ?? []).toString()).toBe(active?.version === 1 ? "old" : "new");
    });
    expect(cuts).toBeGreaterThanOrEqual(4);
    expect([...seen].sort()).toEqual([1, 2]);
  });
});

const small = { ...options, segmentBytes: 512, totalBytes: 1024 };

interface History {
  /** Texts handed to `append`, in order; `durable` those of them that resolved. */
  readonly appended: string[];
  readonly durable: Set<string>;
  /** The last text whose acknowledgement resolved, and the last that was asked for. */
  acknowledged: number;
  asked: number;
}

async function appendAndAcknowledge(outbox: Outbox, history: History, label: string, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const texts = [1, 2, 3].map((n) => `${label}-${round}-${n}`.padEnd(20 + ((round * 7) % 13), "."));
    history.appended.push(...texts);
    await Promise.all(texts.map((text) => outbox.append(Buffer.from(text)).then(() => history.durable.add(text))));
    if (round % 3 !== 2) continue;
    const records = await outbox.peek(4, 1000);
    const last = records.at(-1);
    if (last === undefined) continue;
    history.asked = history.appended.indexOf(Buffer.from(last.payload).toString());
    await outbox.acknowledge(last.sequence);
    history.acknowledged = history.asked;
  }
}

async function readAll(outbox: Outbox): Promise<string[]> {
  const texts: string[] = [];
  let records = await outbox.peek(3, 100);
  let expected = records[0]?.sequence ?? 0;
  while (records.length > 0) {
    for (const { sequence, payload } of records) {
      expect(sequence).toBe(expected);
      expected += 1;
      texts.push(Buffer.from(payload).toString());
    }
    await outbox.acknowledge(expected - 1);
    records = await outbox.peek(3, 100);
  }
  return texts;
}

function checkSurvivors(texts: readonly string[], history: History, dropped: number): void {
  const places = texts.map((text) => history.appended.indexOf(text));
  // Nothing that was never appended, nothing twice, nothing out of order.
  expect(places).not.toContain(-1);
  expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
  const first = places[0] ?? history.appended.length;
  const expected = history.appended.filter((text, place) => place >= first && history.durable.has(text));
  expect(texts).toEqual(expect.arrayContaining(expected));
  // What is gone from the front was acknowledged, or asked to be, or is counted as dropped.
  const gone = history.appended.filter((text, n) => n < first && n > history.asked && history.durable.has(text));
  expect(dropped > 0 ? [] : gone).toEqual([]);
  expect(first).toBeGreaterThan(history.acknowledged);
}

describe.each(kinds)("the outbox with %o at every operation", (kind) => {
  it.each([
    ["with room for everything", { ...small, totalBytes: 512 * 40 }],
    ["dropping the oldest when it is full", small],
  ])("loses nothing durable and invents nothing, %s", async (_, settings) => {
    let mostDropped = 0;
    const cuts = await everywhere(createFaultDisk(), kind, async (disk) => {
      const history: History = { appended: [], durable: new Set(), acknowledged: -1, asked: -1 };
      await openOutbox(disk, "/outbox", settings)
        .then((outbox) => appendAndAcknowledge(outbox, history, "first", 12))
        .catch(() => undefined);
      // A second life appends over what the first left behind, and loses its power too.
      const second = disk.reboot(kind.kind === "cut" ? kind.survival : "dropped");
      const again = await openOutbox(second, "/outbox", settings);
      const before = again.counters.dropped.full;
      await appendAndAcknowledge(again, history, "second", 2);
      const third = await openOutbox(second.reboot(), "/outbox", settings);
      const texts = await readAll(third);
      mostDropped = Math.max(mostDropped, third.counters.dropped.full);
      checkSurvivors(texts, history, third.counters.dropped.full + before);
      expect(third.counters.dropped.damaged).toBe(0);
      for (const text of history.appended.filter((appended) => appended.startsWith("second-1")))
        expect(texts).toContain(text);
    });
    expect(cuts).toBeGreaterThan(20);
    // A file that could not be made is a full disk to the outbox, so that it may drop even with room for everything.
    expect(mostDropped > 0 || settings !== small).toBe(true);
  });
});
