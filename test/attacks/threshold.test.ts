// Attack: one stolen root key tries to replace all the others.
import { describe, expect, test } from "vitest";
import { publishImage } from "../../src/operator/publish.ts";
import {
  createFleet,
  createGateway,
  deployTo,
  expectDeployed,
  expectRefused,
  readMemory,
  release,
} from "../support/fleet.ts";
import { loadRootKeys, rotateImageRoot } from "../support/rotateRoot.ts";

describe("a root below its threshold", () => {
  test("is refused when one of the two needed keys signed it, and accepted when two did", async () => {
    await using fleet = await createFleet();
    await using thief = await createFleet();
    const gateway = createGateway(fleet);
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await expectDeployed(gateway, 1);
    const [first, second] = await loadRootKeys(fleet);
    if (first === undefined || second === undefined) throw new Error("the fleet has three root keys");
    const targets = await thief.workspace.loadKey("targets");
    await rotateImageRoot(fleet, { signers: [first], targets, version: 2 });
    await publishImage(fleet.workspace, fleet.publisher);
    await expectRefused(gateway, "trust.signature");
    expect(readMemory(gateway.disk).get("/trust/image/root.json")).toBeUndefined();
    await rotateImageRoot(fleet, { signers: [first, second], version: 2 });
    await publishImage(fleet.workspace, fleet.publisher);
    await expectDeployed(gateway, 1);
    expect(readMemory(gateway.disk).get("/trust/image/root.json")).toBe(2);
  });

  test("is refused when the old threshold signed it but not its own", async () => {
    await using fleet = await createFleet();
    await using other = await createFleet();
    const gateway = createGateway(fleet);
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await rotateImageRoot(fleet, { signers: await loadRootKeys(fleet), rootKeys: await loadRootKeys(other) });
    await publishImage(fleet.workspace, fleet.publisher);
    await expectRefused(gateway, "trust.signature");
  });
});
