// Attack: old, validly signed metadata is served again to bring back an old release.
import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { publishImage } from "../../src/operator/publish.ts";
import { signSnapshot, signTimestamp } from "../../src/operator/repository/metadata.ts";
import { imageDirectory } from "../../src/operator/repository/places.ts";
import {
  createFleet,
  createGateway,
  dayMs,
  deployTo,
  expectDeployed,
  expectRefused,
  release,
} from "../support/fleet.ts";
import type { Fleet, Gateway } from "../support/fleet.ts";
import { readImageFile } from "../support/rotateRoot.ts";

/** A gateway that has seen two releases, and the broker as it was after the first. */
async function updateOnce(fleet: Fleet): Promise<{ gateway: Gateway; old: ReadonlyMap<string, Uint8Array> }> {
  const gateway = createGateway(fleet);
  await release(fleet, { version: "1.0.0" });
  await deployTo(fleet, "plant-7", "boiler@1.0.0");
  const old = new Map(fleet.broker);
  await release(fleet, { version: "1.1.0" });
  await deployTo(fleet, "plant-7", "boiler@1.1.0");
  await expectDeployed(gateway, 2);
  return { gateway, old };
}

function replay(fleet: Fleet, old: ReadonlyMap<string, Uint8Array>, part: string): void {
  for (const [topic, payload] of old) if (topic.includes(part)) fleet.broker.set(topic, payload);
}

describe("a rollback", () => {
  test.each([["/image/"], ["/in/director/"]])("of everything under %s is refused", async (part) => {
    await using fleet = await createFleet();
    const { gateway, old } = await updateOnce(fleet);
    replay(fleet, old, part);
    await expectRefused(gateway, "trust.rollback");
  });

  test("of the snapshot under a newer timestamp is refused", async () => {
    await using fleet = await createFleet();
    const { gateway } = await updateOnce(fleet);
    const key = await fleet.workspace.loadKey("timestamp");
    const snapshot = { version: 2, bytes: await readImageFile(fleet, "2.snapshot.json") };
    const times = { expiresMs: fleet.time.nowMs + dayMs, signedAtMs: fleet.time.nowMs };
    fleet.broker.set(
      "outstation/v1/image/timestamp.json",
      await signTimestamp({ version: 9, ...times, snapshot }, key),
    );
    await expectRefused(gateway, "trust.rollback");
  });

  test("of the targets under a newer timestamp and snapshot is refused", async () => {
    await using fleet = await createFleet();
    const { gateway } = await updateOnce(fleet);
    const times = { expiresMs: fleet.time.nowMs + dayMs, signedAtMs: fleet.time.nowMs };
    const targets = { version: 2, bytes: await readImageFile(fleet, "2.targets.json") };
    const bytes = await signSnapshot({ version: 9, ...times, targets }, await fleet.workspace.loadKey("snapshot"));
    const key = await fleet.workspace.loadKey("timestamp");
    const timestamp = await signTimestamp({ version: 9, ...times, snapshot: { version: 9, bytes } }, key);
    await writeFile(join(imageDirectory(fleet.workspace), "9.snapshot.json"), bytes);
    await writeFile(join(imageDirectory(fleet.workspace), "timestamp.json"), timestamp);
    await publishImage(fleet.workspace, fleet.publisher);
    await expectRefused(gateway, "trust.rollback");
    expect(await readImageFile(fleet, "9.snapshot.json")).toBeDefined();
  });
});
