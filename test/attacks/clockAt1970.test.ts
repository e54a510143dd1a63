// Attack: a board without a clock starts in 1970, when no metadata has ever expired.
import { describe, expect, test } from "vitest";
import { publishDirector, publishImage } from "../../src/operator/publish.ts";
import { renewImage } from "../../src/operator/repository/addRelease.ts";
import { signTimestamp } from "../../src/operator/repository/metadata.ts";
import { renewDirector } from "../../src/operator/repository/director.ts";
import {
  createFleet,
  createGateway,
  dayMs,
  deployTo,
  expectDeployed,
  expectRefused,
  publishAll,
  readMemory,
  release,
} from "../support/fleet.ts";
import { readImageFile } from "../support/rotateRoot.ts";

describe("a clock at 1970", () => {
  test("does not keep a gateway from good metadata", async () => {
    await using fleet = await createFleet();
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    expect(await createGateway(fleet).refresh({ nowMs: 0 })).toMatchObject({ deployment: { version: 1 } });
  });

  test("does not make expired metadata fresh: time that a signer attested counts", async () => {
    await using fleet = await createFleet();
    const gateway = createGateway(fleet);
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await expectDeployed(gateway, 1);
    fleet.time.nowMs += 8 * dayMs;
    await renewDirector(fleet.workspace, "plant-7");
    await publishDirector(fleet.workspace, "plant-7", fleet.publisher);
    await expectRefused(gateway, "trust.expired", { nowMs: 0 });
    await renewImage(fleet.workspace);
    await publishImage(fleet.workspace, fleet.publisher);
    expect(await gateway.refresh({ nowMs: 0 })).toMatchObject({ deployment: { version: 1 } });
  });

  test("does not lose the attested time with the metadata cache", async () => {
    await using fleet = await createFleet();
    const gateway = createGateway(fleet);
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    const frozen = new Map(fleet.broker);
    fleet.time.nowMs += 8 * dayMs;
    await renewDirector(fleet.workspace, "plant-7");
    await renewImage(fleet.workspace);
    await publishAll(fleet, "plant-7");
    await expectDeployed(gateway, 1);
    for (const path of gateway.disk.files.keys())
      if (!path.includes("floors")) gateway.disk.files.set(path, new Uint8Array());
    for (const [topic, payload] of frozen) fleet.broker.set(topic, payload);
    await expectRefused(gateway, "trust.expired", { nowMs: 0 });
  });
});

describe("a clock ahead of the time", () => {
  test("refuses everything while it lasts and leaves nothing behind", async () => {
    await using fleet = await createFleet();
    const gateway = createGateway(fleet);
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await expectRefused(gateway, "trust.expired", { nowMs: fleet.time.nowMs + 3650 * dayMs });
    await expectDeployed(gateway, 1);
  });

  test("cannot be forged by a timestamp that claims to be signed after its own expiry", async () => {
    await using fleet = await createFleet();
    const gateway = createGateway(fleet);
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    const snapshot = { version: 2, bytes: await readImageFile(fleet, "2.snapshot.json") };
    const times = { expiresMs: fleet.time.nowMs + dayMs, signedAtMs: fleet.time.nowMs + 3000 * dayMs };
    const key = await fleet.workspace.loadKey("timestamp");
    fleet.broker.set(
      "outstation/v1/image/timestamp.json",
      await signTimestamp({ version: 9, ...times, snapshot }, key),
    );
    await expectDeployed(gateway, 1);
    await expectDeployed(gateway, 1);
    expect(readMemory(gateway.disk).get("/trust/floors.json image/attested")).toBeUndefined();
  });
});
