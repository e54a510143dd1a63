// Attack: a power cut empties the metadata cache and the broker then shows the repositories as they once were.
import { describe, expect, test } from "vitest";
import { publishImage } from "../../src/operator/publish.ts";
import {
  createFleet,
  createGateway,
  deployTo,
  expectDeployed,
  expectRefused,
  publishAll,
  release,
} from "../support/fleet.ts";
import type { Fleet, Gateway } from "../support/fleet.ts";
import { loadRootKeys, rotateImageRoot } from "../support/rotateRoot.ts";

/** A gateway that has seen two deployments and a second root, and the broker as it was before. */
async function updateOnce(fleet: Fleet): Promise<{ gateway: Gateway; old: ReadonlyMap<string, Uint8Array> }> {
  const gateway = createGateway(fleet);
  await release(fleet, { version: "1.0.0" });
  await deployTo(fleet, "plant-7", "boiler@1.0.0");
  const old = new Map(fleet.broker);
  await rotateImageRoot(fleet, { signers: await loadRootKeys(fleet) });
  await release(fleet, { version: "1.1.0" });
  await deployTo(fleet, "plant-7", "boiler@1.1.0");
  await expectDeployed(gateway, 2);
  return { gateway, old };
}

function truncate(gateway: Gateway, part: string): void {
  for (const path of gateway.disk.files.keys())
    if (path.includes(part) && !path.includes("floors")) gateway.disk.files.set(path, new Uint8Array());
}

const parts = [["/"], ["root.json"], ["timestamp.json"], ["snapshot.json"], ["targets.json"], ["/director/"]] as const;

describe("a truncated metadata cache", () => {
  test.each(parts)("(%s) is rebuilt from the factory roots", async (part) => {
    await using fleet = await createFleet();
    const { gateway } = await updateOnce(fleet);
    const whole = new Map(gateway.disk.files);
    truncate(gateway, part);
    await expectDeployed(gateway, 2);
    expect(gateway.disk.files).toEqual(whole);
  });

  test.each(parts)("(%s) does not let old repositories in: the floors remember", async (part) => {
    await using fleet = await createFleet();
    const { gateway, old } = await updateOnce(fleet);
    truncate(gateway, part);
    fleet.broker.clear();
    for (const [topic, payload] of old) fleet.broker.set(topic, payload);
    await expectRefused(gateway, "trust.rollback");
    await publishAll(fleet, "plant-7");
    await expectDeployed(gateway, 2);
  });

  test("does not let an old image repository in beside the newest director", async () => {
    await using fleet = await createFleet();
    const { gateway, old } = await updateOnce(fleet);
    truncate(gateway, "/image/");
    for (const [topic, payload] of old) if (topic.includes("/image/")) fleet.broker.set(topic, payload);
    fleet.broker.set("outstation/v1/image/index.json", new TextEncoder().encode('{ "root": 2 }'));
    await expectRefused(gateway, "trust.rollback");
    await publishImage(fleet.workspace, fleet.publisher);
    await expectDeployed(gateway, 2);
  });

  test.each(["null", "1", "[]", '{"signed":null}', '{"signed":{"version":1e300}}', "\0\0\0\0"])(
    "with %j in every file is rebuilt, too, also where it is the base of a difference",
    async (text) => {
      await using fleet = await createFleet();
      const { gateway } = await updateOnce(fleet);
      for (const path of gateway.disk.files.keys())
        if (!path.includes("floors")) gateway.disk.files.set(path, new TextEncoder().encode(text));
      await deployTo(fleet, "plant-7", "boiler@1.0.0");
      await expectDeployed(gateway, 3);
    },
  );
});
