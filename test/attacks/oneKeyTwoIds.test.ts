// Attack: an operator is talked into a root that lists one key under two ids, so that one key alone makes its threshold.
import { describe, expect, test } from "vitest";
import { publishImage } from "../../src/operator/publish.ts";
import { createFleet, createGateway, deployTo, expectDeployed, readMemory, release } from "../support/fleet.ts";
import { loadRootKeys, rotateImageRoot } from "../support/rotateRoot.ts";

describe("one key under two ids", () => {
  test("makes a root that no gateway follows", async () => {
    await using fleet = await createFleet();
    const gateway = createGateway(fleet);
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await expectDeployed(gateway, 1);
    const [first, second] = await loadRootKeys(fleet);
    if (first === undefined || second === undefined) throw new Error("the fleet has three root keys");
    const alias = { ...first, keyId: "0".repeat(64) };
    await rotateImageRoot(fleet, { signers: [first, second, alias], rootKeys: [first, alias] });
    await publishImage(fleet.workspace, fleet.publisher);
    expect(await gateway.refresh()).toMatchObject({ kind: "refused" });
    expect(readMemory(gateway.disk).get("/trust/image/root.json")).toBeUndefined();
  });
});
