// The timestamp key is stolen: its thief drives versions and the time up, and loses both with the key.
import { expect, test } from "vitest";
import { rotateKey } from "../../src/operator/ceremony/changeKeys.ts";
import { publishImage } from "../../src/operator/publish.ts";
import { completeRoot, forgeTimestamp, top } from "../support/ceremony.ts";
import { createFleet, dayMs, expectDeployed, expectRefused, readMemory, startGateway } from "../support/fleet.ts";

test("undoes a fast-forward, and refuses the thief from then on", async () => {
  await using fleet = await createFleet();
  const gateway = await startGateway(fleet);
  const stolen = await fleet.workspace.loadKey("timestamp");
  await forgeTimestamp(fleet, stolen, { version: top });
  await expectDeployed(gateway, 1);
  await publishImage(fleet.workspace, fleet.publisher);
  await expectRefused(gateway, "trust.rollback");

  const { proposals } = await rotateKey(fleet.workspace, "timestamp");
  await completeRoot(fleet, proposals[0], ["root-1", "root-2"]);
  await expectDeployed(gateway, 1);
  expect(readMemory(gateway.disk).get("/trust/floors.json image/timestamp")).toBe(3);

  await forgeTimestamp(fleet, stolen, { version: top + 1 });
  await expectRefused(gateway, "trust.signature");
});

test("undoes a false time, one refresh after the root came", async () => {
  await using fleet = await createFleet();
  const gateway = await startGateway(fleet);
  const stolen = await fleet.workspace.loadKey("timestamp");
  await forgeTimestamp(fleet, stolen, { version: 9, signedAtMs: fleet.time.nowMs + 3000 * dayMs });
  await expectDeployed(gateway, 1);
  await expectRefused(gateway, "trust.expired");

  const { proposals } = await rotateKey(fleet.workspace, "timestamp");
  await completeRoot(fleet, proposals[0], ["root-1", "root-3"]);
  await expectRefused(gateway, "trust.expired");
  await expectDeployed(gateway, 1);
});
