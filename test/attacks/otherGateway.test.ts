// Attack: what the director signed for one gateway is shown to another.
import { describe, expect, test } from "vitest";
import { publishDirector } from "../../src/operator/publish.ts";
import { createFleet, createGateway, deployTo, expectDeployed, expectRefused, release } from "../support/fleet.ts";
import type { Fleet } from "../support/fleet.ts";
import { createDeployment, forgeDirector, forgeEmptyDirector } from "../support/forgeDirector.ts";

/** Puts everything of one gateway's director under the topics of another. */
function redirect(fleet: Fleet, from: string, to: string): void {
  for (const [topic, payload] of new Map(fleet.broker))
    if (topic.includes(`/gateway/${from}/`)) fleet.broker.set(topic.replace(from, to), payload);
}

describe("another gateway's director", () => {
  test("is refused, and raises no floor that would lock this gateway's own one out", async () => {
    await using fleet = await createFleet();
    const gateway = createGateway(fleet, "plant-7");
    await release(fleet, { version: "1.0.0" });
    await release(fleet, { version: "1.1.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await expectDeployed(gateway, 1);
    for (let deployment = 0; deployment < 5; deployment += 1) await deployTo(fleet, "plant-8", "boiler@1.1.0");
    redirect(fleet, "plant-8", "plant-7");
    const before = new Map(gateway.disk.files);
    await expectRefused(gateway, "trust.gateway");
    expect(gateway.disk.files).toEqual(before);
    await publishDirector(fleet.workspace, "plant-7", fleet.publisher);
    await expectDeployed(gateway, 1);
  });

  test("is refused on the first contact", async () => {
    await using fleet = await createFleet();
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-8", "boiler@1.0.0");
    redirect(fleet, "plant-8", "plant-7");
    const gateway = createGateway(fleet, "plant-7");
    await expectRefused(gateway, "trust.gateway");
    expect(gateway.disk.files.size).toBe(0);
  });

  test("is refused when only one of its targets or only its deployment names another gateway", async () => {
    await using fleet = await createFleet();
    const gateway = createGateway(fleet, "plant-7");
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await forgeDirector(fleet, "plant-7", [createDeployment(2, "plant-8", "boiler@1.0.0")]);
    await expectRefused(gateway, "trust.gateway");
    const deployment = createDeployment(3, "plant-7", "boiler@1.0.0");
    await forgeDirector(fleet, "plant-7", [{ ...deployment, custom: { gateway: "plant-8" } }]);
    await expectRefused(gateway, "trust.gateway");
    await forgeDirector(fleet, "plant-7", [{ ...deployment, custom: { other: "plant-7" } }]);
    await expectRefused(gateway, "trust.malformed");
    await forgeDirector(fleet, "plant-7", [deployment]);
    await expectDeployed(gateway, 3);
  });

  test.each([
    ["names no gateway because it lists nothing", false, "trust.gateway"],
    ["delegates to somebody else", true, "trust.malformed"],
  ] as const)("is refused when it %s", async (_, delegates, rule) => {
    await using fleet = await createFleet();
    const gateway = createGateway(fleet, "plant-7");
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await expectDeployed(gateway, 1);
    const before = new Map(gateway.disk.files);
    await forgeEmptyDirector(fleet, "plant-7", delegates);
    await expectRefused(gateway, rule);
    expect(gateway.disk.files).toEqual(before);
  });
});
