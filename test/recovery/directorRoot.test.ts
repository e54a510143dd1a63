// The director's root key is stolen: replaced in time it is worth nothing; a thief who is first keeps the gateways.
import { expect, test } from "vitest";
import { rotateKey } from "../../src/operator/ceremony/changeKeys.ts";
import { signRoot } from "../../src/operator/repository/metadata.ts";
import { createTopics } from "../../src/protocol/topics.ts";
import { completeRoot } from "../support/ceremony.ts";
import {
  createFleet,
  createGateway,
  dayMs,
  deployTo,
  expectDeployed,
  expectRefused,
  hintRoot,
  release,
  startGateway,
} from "../support/fleet.ts";
import type { Fleet } from "../support/fleet.ts";

/** The thief's own director root, signed with the stolen key, on the broker. */
async function forgeRoot(fleet: Fleet, thief: Fleet, version: number): Promise<void> {
  const stolen = await fleet.workspace.loadKey("director-root");
  const root = { keys: [await thief.workspace.loadKey("director-root")], threshold: 1 };
  const online = { keys: [await thief.workspace.loadKey("director")], threshold: 1 };
  const roles = { root, targets: online, snapshot: online, timestamp: online };
  const content = { version, expiresMs: fleet.time.nowMs + 365 * dayMs, roles };
  const { director } = createTopics().gateway("plant-7");
  fleet.broker.set(director(`${version}.root.json`), await signRoot(content, [stolen, ...root.keys]));
  await hintRoot(fleet, director("timestamp.json"), version);
}

test("is replaced in time: what the thief signs with it is refused", async () => {
  await using fleet = await createFleet();
  await using thief = await createFleet();
  const gateway = await startGateway(fleet);
  const { proposals, made } = await rotateKey(fleet.workspace, "director-root");
  await completeRoot(fleet, proposals[0], ["director-root", made.name]);
  await expectDeployed(gateway, 1);
  expect(made.name).toBe("director-root-2");
  await forgeRoot(fleet, thief, 3);
  await expectRefused(gateway, "trust.signature");
});

test("cannot be replaced after the thief was first: the gateway is set up anew", async () => {
  await using fleet = await createFleet();
  await using thief = await createFleet();
  await using next = await createFleet();
  const gateway = await startGateway(fleet);
  const { proposals, made } = await rotateKey(fleet.workspace, "director-root");
  await forgeRoot(fleet, thief, 2);
  await expectRefused(gateway, "trust.signature");
  await completeRoot(fleet, proposals[0], ["director-root", made.name]);
  await expectRefused(gateway, "trust.signature");
  await release(next, { version: "1.0.0" });
  await deployTo(next, "plant-7", "boiler@1.0.0");
  await expectDeployed(createGateway(next), 1);
});
