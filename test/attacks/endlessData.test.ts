// Attack: the broker answers with more bytes than there ever were, to fill the gateway's memory or disk.
import { describe, expect, test } from "vitest";
import { limits } from "../../src/base/limits.ts";
import { silentLog } from "../../src/base/log.ts";
import { deliver } from "../../src/agent/deliver.ts";
import { createTopics } from "../../src/protocol/topics.ts";
import type { VerifiedTarget } from "../../src/protocol/release.ts";
import { openComponentStore } from "../../src/store/componentStore.ts";
import {
  createFleet,
  createGateway,
  deployTo,
  expectDeployed,
  expectRefused,
  hintRoot,
  publishAll,
  readHeld,
  release,
  withholdRounds,
} from "../support/fleet.ts";
import { openDelivery } from "../support/delivery.ts";
import { createMapLink } from "../support/mapLink.ts";

const endless = new Uint8Array(limits.trust.targetsMaxBytes + 1).fill(32);

describe("endless data", () => {
  test.each([
    ["image/1.root.json", "image/2.root.json"],
    ["image/timestamp.json", "image/timestamp.json"],
    ["image/3.snapshot.json", "image/3.snapshot.json"],
    ["image/3.targets.json", "image/3.targets.json"],
    ["gateway/plant-7/in/director/timestamp.json", "gateway/plant-7/in/director/timestamp.json"],
    ["gateway/plant-7/in/director/3.targets.json", "gateway/plant-7/in/director/3.targets.json"],
  ])("after the metadata %s is refused at the bound, and forgotten", async (signed, topic) => {
    await using fleet = await createFleet();
    const gateway = createGateway(fleet);
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await expectDeployed(gateway, 1);
    await release(fleet, { version: "1.1.0" });
    await deployTo(fleet, "plant-7", "boiler@1.1.0");
    const honest = await readHeld(fleet, `outstation/v1/${signed}`);
    withholdRounds(fleet);
    expect(honest.length).toBeGreaterThan(0);
    // What is told with the timestamp is not signed: here it says that there is a root to fetch.
    await hintRoot(fleet, "outstation/v1/image/timestamp.json", 2);
    fleet.broker.set(`outstation/v1/${topic}`, Buffer.concat([honest, endless]));
    await expectRefused(gateway, "trust.mismatch");
    expect([...gateway.disk.files.values()].every(({ length }) => length < endless.length)).toBe(true);
    fleet.broker.delete("outstation/v1/image/2.root.json");
    await publishAll(fleet, "plant-7");
    await expectDeployed(gateway, 2);
  });

  test("after a chunk is refused at the chunk's signed length", async () => {
    await using fleet = await createFleet();
    const gateway = createGateway(fleet);
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    const target = (await expectDeployed(gateway, 1)).targets.get("boiler") as VerifiedTarget;
    const topics = createTopics(fleet.workspace.settings.root);
    const topic = topics.blob(target.release.full.sha256, 0);
    fleet.broker.set(topic, Uint8Array.of(...(fleet.broker.get(topic) ?? []), 0));
    const store = await openComponentStore(gateway.disk, "/components", silentLog);
    const link = createMapLink(async (topic) => fleet.broker.get(topic));
    const delivery = await openDelivery({ disk: gateway.disk, directory: "/downloads", link });
    expect(await deliver(target, { store, log: silentLog, ...delivery })).toMatchObject({
      rule: "delivery.hash",
      seen: expect.stringContaining("more"),
    });
    expect(store.has(target.sha256)).toBe(false);
  });
});
