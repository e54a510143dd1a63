// The targets key is stolen with the online ones: the thief empties or fills the list of releases until the root changes.
import { expect, test } from "vitest";
import { rotateKey } from "../../src/operator/ceremony/changeKeys.ts";
import { listReleases } from "../../src/operator/repository/addRelease.ts";
import { completeRoot, forgeImage, top } from "../support/ceremony.ts";
import {
  createFleet,
  deployTo,
  expectDeployed,
  expectRefused,
  readMemory,
  release,
  startGateway,
} from "../support/fleet.ts";

test("brings the fleet's own releases back and refuses the thief's, whatever version they had", async () => {
  await using fleet = await createFleet();
  const gateway = await startGateway(fleet);
  const { workspace } = fleet;
  const stolen = {
    targets: await workspace.loadKey("targets"),
    snapshot: await workspace.loadKey("snapshot"),
    timestamp: await workspace.loadKey("timestamp"),
  };
  await forgeImage(fleet, stolen, { version: top });
  await expectRefused(gateway, "trust.disagreement");

  await rotateKey(workspace, "targets");
  await rotateKey(workspace, "snapshot");
  const { proposals } = await rotateKey(workspace, "timestamp");
  await completeRoot(fleet, proposals[0], ["root-1", "root-2"]);
  await expectDeployed(gateway, 1);
  expect(readMemory(gateway.disk).get("/trust/floors.json image/targets")).toBe(3);

  await forgeImage(fleet, stolen, { version: top + 1 });
  await expectRefused(gateway, "trust.signature");
  await release(fleet, { version: "1.1.0" });
  await deployTo(fleet, "plant-7", "boiler@1.1.0");
  await expectDeployed(gateway, 2);
  expect((await listReleases(workspace)).map(({ release }) => release.version)).toEqual(["1.1.0", "1.0.0"]);
});
