// Attack: somebody signs a release, or all metadata, with keys of their own.
import { describe, expect, test } from "vitest";
import { publishDirector, publishImage } from "../../src/operator/publish.ts";
import { addRelease } from "../../src/operator/repository/addRelease.ts";
import { createDirector, deploy } from "../../src/operator/repository/director.ts";
import type { KeyName, Workspace } from "../../src/operator/workspace.ts";
import {
  createFleet,
  createGateway,
  createWasm,
  deployTo,
  expectDeployed,
  expectRefused,
  release,
  withForeignKeys,
} from "../support/fleet.ts";
import type { Fleet } from "../support/fleet.ts";

async function signRelease(fleet: Fleet, workspace: Workspace): Promise<void> {
  await addRelease(workspace, { component: "boiler", version: "6.6.6", wasmBytes: createWasm("malware") });
  await publishImage(workspace, fleet.publisher);
}

describe("metadata signed with the wrong key", () => {
  test.each([["targets"], ["snapshot"], ["timestamp"]] as const)(
    "is refused when the image repository's %s key is not the root's",
    async (name: KeyName) => {
      await using fleet = await createFleet();
      await using thief = await createFleet();
      const gateway = createGateway(fleet);
      await release(fleet, { version: "1.0.0" });
      await deployTo(fleet, "plant-7", "boiler@1.0.0");
      await expectDeployed(gateway, 1);
      await signRelease(fleet, withForeignKeys(fleet.workspace, thief.workspace, [name]));
      await expectRefused(gateway, "trust.signature");
      expect([...gateway.disk.files.values()].some((bytes) => Buffer.from(bytes).includes("6.6.6"))).toBe(false);
    },
  );

  test("is refused when the director's key is not the root's", async () => {
    await using fleet = await createFleet();
    await using thief = await createFleet();
    const gateway = createGateway(fleet);
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await expectDeployed(gateway, 1);
    const forged = withForeignKeys(fleet.workspace, thief.workspace, ["director"]);
    await deploy(forged, "plant-7", {});
    await publishDirector(forged, "plant-7", fleet.publisher);
    await expectRefused(gateway, "trust.signature");
  });

  test("is refused on the first contact too, when all of it is another operator's", async () => {
    await using fleet = await createFleet();
    await using thief = await createFleet();
    const gateway = createGateway(fleet);
    await createDirector(thief.workspace, "plant-7");
    await publishDirector(thief.workspace, "plant-7", fleet.publisher);
    await expectRefused(gateway, "trust.signature");
    expect(gateway.disk.files.size).toBe(0);
  });
});
