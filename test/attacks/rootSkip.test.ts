// Attack: a validly signed root is served under another number, to jump over the one that revoked a key.
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

describe("a root chain with a gap", () => {
  test("is refused, and followed once the gap is filled", async () => {
    await using fleet = await createFleet();
    const gateway = createGateway(fleet);
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await expectDeployed(gateway, 1);
    const signers = await loadRootKeys(fleet);
    await rotateImageRoot(fleet, { signers });
    const third = await rotateImageRoot(fleet, { signers });
    await publishImage(fleet.workspace, fleet.publisher);
    fleet.broker.set("outstation/v1/image/2.root.json", third);
    await expectRefused(gateway, "trust.rollback");
    await publishImage(fleet.workspace, fleet.publisher);
    await expectDeployed(gateway, 1);
    expect(readMemory(gateway.disk).get("/trust/image/root.json")).toBe(3);
  });

  test("that is cut short after it was followed is refused, also when the kept root was lost", async () => {
    await using fleet = await createFleet();
    const gateway = createGateway(fleet);
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await rotateImageRoot(fleet, { signers: await loadRootKeys(fleet) });
    await publishImage(fleet.workspace, fleet.publisher);
    await expectDeployed(gateway, 1);
    fleet.broker.delete("outstation/v1/image/2.root.json");
    await expectDeployed(gateway, 1);
    gateway.disk.files.set("/trust/image/root.json", new Uint8Array());
    await expectRefused(gateway, "trust.rollback");
  });
});
