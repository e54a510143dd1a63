// Attack: an old deployment document is signed again, with its old grants, under new metadata.
import { describe, expect, test } from "vitest";
import {
  createFleet,
  createGateway,
  deployTo,
  expectDeployed,
  expectRefused,
  readMemory,
  release,
} from "../support/fleet.ts";
import { createDeployment, forgeDirector } from "../support/forgeDirector.ts";

describe("a replayed deployment", () => {
  test("is refused by its own version under newer, validly signed metadata, again and again", async () => {
    await using fleet = await createFleet();
    const gateway = createGateway(fleet);
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await expectDeployed(gateway, 2);
    await forgeDirector(fleet, "plant-7", [createDeployment(1, "plant-7", "boiler@1.0.0")]);
    await expectRefused(gateway, "trust.rollback");
    await expectRefused(gateway, "trust.rollback");
    expect(readMemory(gateway.disk).get("/trust/floors.json director/deployment")).toBe(2);
    await forgeDirector(fleet, "plant-7", [createDeployment(3, "plant-7", "boiler@1.0.0")]);
    await expectDeployed(gateway, 3);
  });
});
