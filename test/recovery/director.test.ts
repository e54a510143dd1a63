// The director's key is stolen: the thief deploys what exists, as often and under whatever version they like.
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { test } from "vitest";
import { rotateKey } from "../../src/operator/ceremony/changeKeys.ts";
import { publishDirector } from "../../src/operator/publish.ts";
import { completeRoot, top } from "../support/ceremony.ts";
import {
  createGateway,
  createFleet,
  deployTo,
  expectDeployed,
  expectRefused,
  release,
  startGateway,
} from "../support/fleet.ts";
import { createDeployment, forgeDirector } from "../support/forgeDirector.ts";

test("gives every gateway its honest deployment back, below the thief's versions", async () => {
  await using fleet = await createFleet();
  await using thief = await createFleet();
  const gateway = await startGateway(fleet);
  const second = createGateway(fleet, "plant-8");
  const { workspace } = fleet;
  await deployTo(fleet, "plant-8", "boiler@1.0.0");
  await expectDeployed(second, 1);
  // The thief works from a copy of everything, so that the workspace stays honest.
  for (const part of ["gateways", "director", "image", "keys"])
    await cp(join(workspace.directory, part), join(thief.workspace.directory, part), { recursive: true });
  const stolen = { ...thief, broker: fleet.broker, publisher: fleet.publisher };
  await forgeDirector(stolen, "plant-7", [createDeployment(top, "plant-7", "boiler@1.0.0")]);
  await expectDeployed(gateway, top);
  await publishDirector(workspace, "plant-7", fleet.publisher);
  await expectRefused(gateway, "trust.rollback");

  const { proposals } = await rotateKey(workspace, "director");
  await completeRoot(fleet, proposals[0], ["director-root"]);
  await expectDeployed(gateway, 1);
  await expectDeployed(second, 1);

  await forgeDirector(stolen, "plant-7", [createDeployment(top + 1, "plant-7", "boiler@1.0.0")]);
  await expectRefused(gateway, "trust.signature");
  await release(fleet, { version: "1.1.0" });
  await deployTo(fleet, "plant-7", "boiler@1.1.0");
  await expectDeployed(gateway, 2);
});
