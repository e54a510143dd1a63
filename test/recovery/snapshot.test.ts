// The snapshot key is stolen: alone it moves nothing, and with the timestamp key both are replaced by one root.
import { expect, test } from "vitest";
import { rotateKey } from "../../src/operator/ceremony/changeKeys.ts";
import { publishImage } from "../../src/operator/publish.ts";
import { completeRoot, forgeImage, top } from "../support/ceremony.ts";
import { createFleet, expectDeployed, expectRefused, readMemory, startGateway } from "../support/fleet.ts";

test("needs no hurry while the timestamp key is safe: what the thief signs is refused", async () => {
  await using fleet = await createFleet();
  await using thief = await createFleet();
  const gateway = await startGateway(fleet);
  const snapshot = await fleet.workspace.loadKey("snapshot");
  await forgeImage(fleet, { snapshot, timestamp: await thief.workspace.loadKey("timestamp") }, { version: top });
  await expectRefused(gateway, "trust.signature");

  const { proposals } = await rotateKey(fleet.workspace, "snapshot");
  await completeRoot(fleet, proposals[0], ["root-1", "root-2"]);
  await expectDeployed(gateway, 1);
  await forgeImage(fleet, { snapshot, timestamp: await fleet.workspace.loadKey("timestamp") }, { version: top });
  await expectRefused(gateway, "trust.signature");
});

test("undoes a fast-forward of both, in one root that takes both keys away", async () => {
  await using fleet = await createFleet();
  const gateway = await startGateway(fleet);
  const { workspace } = fleet;
  const stolen = { snapshot: await workspace.loadKey("snapshot"), timestamp: await workspace.loadKey("timestamp") };
  await forgeImage(fleet, stolen, { version: top });
  await expectDeployed(gateway, 1);
  await publishImage(workspace, fleet.publisher);
  await expectRefused(gateway, "trust.rollback");

  await rotateKey(workspace, "snapshot");
  const { proposals } = await rotateKey(workspace, "timestamp");
  await completeRoot(fleet, proposals[0], ["root-2", "root-3"]);
  await expectDeployed(gateway, 1);
  expect(readMemory(gateway.disk).get("/trust/floors.json image/snapshot")).toBe(3);

  await forgeImage(fleet, stolen, { version: top + 1 });
  await expectRefused(gateway, "trust.signature");
});
