// Attack: a stolen online key signs versions, or a time, so high that nothing honest could ever follow.
import { describe, expect, test } from "vitest";
import { publishImage } from "../../src/operator/publish.ts";
import { signSnapshot, signTimestamp } from "../../src/operator/repository/metadata.ts";
import { imageDirectory } from "../../src/operator/repository/places.ts";
import { loadRepository } from "../../src/operator/repository/repository.ts";
import { signRound } from "../../src/operator/repository/round.ts";
import type { SigningKey } from "../../src/operator/keys/key.ts";
import {
  createFleet,
  createGateway,
  dayMs,
  deployTo,
  expectDeployed,
  expectRefused,
  readMemory,
  release,
} from "../support/fleet.ts";
import type { Fleet, Gateway } from "../support/fleet.ts";
import { loadRootKeys, readImageFile, rotateImageRoot } from "../support/rotateRoot.ts";

const top = 2 ** 31;

async function startFleet(fleet: Fleet): Promise<Gateway> {
  const gateway = createGateway(fleet);
  await release(fleet, { version: "1.0.0" });
  await deployTo(fleet, "plant-7", "boiler@1.0.0");
  await expectDeployed(gateway, 1);
  return gateway;
}

/** Serves snapshot and timestamp signed with the fleet's own, stolen, keys. */
async function forge(fleet: Fleet, version: number, signedAtMs: number): Promise<void> {
  const expiresMs = signedAtMs + dayMs;
  const targets = { version: 2, bytes: await readImageFile(fleet, "2.targets.json") };
  const bytes = await signSnapshot({ version, expiresMs, targets }, await fleet.workspace.loadKey("snapshot"));
  const timestamp = { version, expiresMs, signedAtMs, snapshot: { version, bytes } };
  fleet.broker.set(`outstation/v1/image/${version}.snapshot.json`, bytes);
  fleet.broker.set(
    "outstation/v1/image/timestamp.json",
    await signTimestamp(timestamp, await fleet.workspace.loadKey("timestamp")),
  );
}

/** Takes both stolen keys out of the root and signs an honest round with new ones. */
async function recover(fleet: Fleet, fresh: { snapshot: SigningKey; timestamp: SigningKey }): Promise<void> {
  await rotateImageRoot(fleet, { signers: await loadRootKeys(fleet), ...fresh });
  const directory = imageDirectory(fleet.workspace);
  const { targets } = await loadRepository(directory);
  const signers = { targets: [await fleet.workspace.loadKey("targets")], ...fresh };
  await signRound(fleet.workspace, directory, { targets, signers });
  await publishImage(fleet.workspace, fleet.publisher);
}

async function loadFresh(other: Fleet): Promise<{ snapshot: SigningKey; timestamp: SigningKey }> {
  const { workspace } = other;
  return { snapshot: await workspace.loadKey("snapshot"), timestamp: await workspace.loadKey("timestamp") };
}

describe("a fast-forward", () => {
  test("of versions is undone by taking the stolen keys out of the root, and by nothing less", async () => {
    await using fleet = await createFleet();
    await using other = await createFleet();
    const gateway = await startFleet(fleet);
    await forge(fleet, top, fleet.time.nowMs);
    await expectDeployed(gateway, 1);
    expect(readMemory(gateway.disk).get("/trust/floors.json image/timestamp")).toBe(top);
    await publishImage(fleet.workspace, fleet.publisher);
    await expectRefused(gateway, "trust.rollback");
    await recover(fleet, await loadFresh(other));
    await expectDeployed(gateway, 1);
    const memory = readMemory(gateway.disk);
    expect(memory.get("/trust/floors.json image/timestamp")).toBe(3);
    expect(memory.get("/trust/floors.json image/targets")).toBe(3);
  });

  test("does not forget the floors of a role whose keys stayed", async () => {
    await using fleet = await createFleet();
    await using other = await createFleet();
    const gateway = await startFleet(fleet);
    await release(fleet, { version: "1.1.0" });
    await expectDeployed(gateway, 1);
    const targets = (await loadRepository(imageDirectory(fleet.workspace))).versions.targets;
    const fresh = await loadFresh(other);
    await rotateImageRoot(fleet, { signers: await loadRootKeys(fleet), ...fresh });
    await publishImage(fleet.workspace, fleet.publisher);
    const times = { expiresMs: fleet.time.nowMs + dayMs, signedAtMs: fleet.time.nowMs };
    const old = { version: targets - 1, bytes: await readImageFile(fleet, `${targets - 1}.targets.json`) };
    const bytes = await signSnapshot({ version: 9, ...times, targets: old }, fresh.snapshot);
    const timestamp = await signTimestamp({ version: 9, ...times, snapshot: { version: 9, bytes } }, fresh.timestamp);
    fleet.broker.set("outstation/v1/image/9.snapshot.json", bytes);
    fleet.broker.set("outstation/v1/image/timestamp.json", timestamp);
    await expectRefused(gateway, "trust.rollback");
    expect(readMemory(gateway.disk).get("/trust/image/root.json")).toBe(2);
  });

  test("of the attested time is undone the same way, one refresh after the root came", async () => {
    await using fleet = await createFleet();
    await using other = await createFleet();
    const gateway = await startFleet(fleet);
    await forge(fleet, 9, fleet.time.nowMs + 3000 * dayMs);
    await expectDeployed(gateway, 1);
    await expectRefused(gateway, "trust.expired");
    await recover(fleet, await loadFresh(other));
    // This refresh still runs under the false time, and brings the root that ends it.
    await expectRefused(gateway, "trust.expired");
    await expectDeployed(gateway, 1);
    expect(readMemory(gateway.disk).get("/trust/floors.json image/attested")).toBe(fleet.time.nowMs);
  });
});
