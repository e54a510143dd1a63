// Attack: the broker shows the same metadata for ever, so that no update and no revocation arrives.
import { describe, expect, test } from "vitest";
import { publishDirector, publishImage } from "../../src/operator/publish.ts";
import { renewImage } from "../../src/operator/repository/addRelease.ts";
import { renewDirector } from "../../src/operator/repository/director.ts";
import {
  createFleet,
  createGateway,
  dayMs,
  deployTo,
  expectDeployed,
  expectRefused,
  release,
} from "../support/fleet.ts";
import type { Fleet } from "../support/fleet.ts";

async function startFleet(fleet: Fleet): Promise<ReturnType<typeof createGateway>> {
  const gateway = createGateway(fleet);
  await release(fleet, { version: "1.0.0" });
  await deployTo(fleet, "plant-7", "boiler@1.0.0");
  await expectDeployed(gateway, 1);
  return gateway;
}

describe("frozen metadata", () => {
  test("is refused once it is past its expiry, whichever repository is frozen", async () => {
    await using fleet = await createFleet();
    const gateway = await startFleet(fleet);
    fleet.time.nowMs += 8 * dayMs;
    await expectRefused(gateway, "trust.expired");
    await renewDirector(fleet.workspace, "plant-7");
    await publishDirector(fleet.workspace, "plant-7", fleet.publisher);
    await expectRefused(gateway, "trust.expired");
    await renewImage(fleet.workspace);
    await publishImage(fleet.workspace, fleet.publisher);
    await expectDeployed(gateway, 1);
  });

  test("is refused when it is expired on the first contact", async () => {
    await using fleet = await createFleet();
    await startFleet(fleet);
    fleet.time.nowMs += 8 * dayMs;
    const fresh = createGateway(fleet);
    await expectRefused(fresh, "trust.expired");
    expect([...fresh.disk.files.keys()]).toEqual([]);
  });

  test("is refused when the root itself is past its expiry", async () => {
    await using fleet = await createFleet();
    const gateway = await startFleet(fleet);
    fleet.time.nowMs += 366 * dayMs;
    await renewDirector(fleet.workspace, "plant-7");
    await publishDirector(fleet.workspace, "plant-7", fleet.publisher);
    await expectRefused(gateway, "trust.expired");
  });
});
