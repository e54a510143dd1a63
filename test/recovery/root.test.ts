// Root keys are stolen: one of three can be replaced in time; with two the thief is the image repository, for good.
import { expect, test } from "vitest";
import { revokeKey, rotateKey } from "../../src/operator/ceremony/changeKeys.ts";
import { mergeProposals } from "../../src/operator/ceremony/merge.ts";
import { publishImage } from "../../src/operator/publish.ts";
import { completeRoot, sign } from "../support/ceremony.ts";
import {
  createFleet,
  createGateway,
  deployTo,
  expectDeployed,
  expectRefused,
  readMemory,
  release,
  startGateway,
} from "../support/fleet.ts";
import { loadRootKeys, rotateImageRoot } from "../support/rotateRoot.ts";

test("replaces one stolen root key, which counts for nothing from then on", async () => {
  await using fleet = await createFleet();
  await using thief = await createFleet();
  const gateway = await startGateway(fleet);
  const { workspace } = fleet;
  const { proposals, made } = await rotateKey(workspace, "root-1");
  const [path = ""] = proposals;
  // The new key counts for the new root alone: the root before needs two of its own.
  await sign(workspace, "root", { path, keys: ["root-2", made.name] });
  await expect(mergeProposals(workspace, "root", [path])).rejects.toMatchObject({ code: "signatures-missing" });
  await completeRoot(fleet, path, ["root-3"]);
  await expectDeployed(gateway, 1);

  const signers = [await workspace.loadKey("root-1"), await workspace.loadKey("root-2")];
  await rotateImageRoot(fleet, { signers, timestamp: await thief.workspace.loadKey("timestamp") });
  await publishImage(workspace, fleet.publisher);
  await expectRefused(gateway, "trust.signature");
  expect(readMemory(gateway.disk).get("/trust/image/root.json")).toBe(2);
});

test("takes a lost root key away without another, as long as enough are left", async () => {
  await using fleet = await createFleet();
  const gateway = await startGateway(fleet);
  const { proposals } = await revokeKey(fleet.workspace, "root-3");
  await completeRoot(fleet, proposals[0], ["root-1", "root-2"]);
  await expectDeployed(gateway, 1);
  await expect(revokeKey(fleet.workspace, "root-2")).rejects.toMatchObject({
    code: "root-invalid",
    message: expect.stringContaining("root would have 1 keys, and 2 must sign"),
  });
});

test("cannot win a gateway back from a thief of two: it is set up anew, with a new fleet", async () => {
  await using fleet = await createFleet();
  await using thief = await createFleet();
  await using next = await createFleet();
  const gateway = await startGateway(fleet);
  const [first, second] = await loadRootKeys(fleet);
  if (first === undefined || second === undefined) throw new Error("the fleet has three root keys");
  const rootKeys = await loadRootKeys(thief);
  const roles = {
    targets: await thief.workspace.loadKey("targets"),
    snapshot: await thief.workspace.loadKey("snapshot"),
    timestamp: await thief.workspace.loadKey("timestamp"),
  };
  const theirs = await rotateImageRoot(fleet, { signers: [first, second, ...rootKeys], rootKeys, ...roles });
  fleet.broker.set("outstation/v1/image/2.root.json", theirs);
  await publishImage(fleet.workspace, fleet.publisher);
  await expectRefused(gateway, "trust.signature");

  await rotateImageRoot(fleet, { signers: await loadRootKeys(fleet), version: 3 });
  await publishImage(fleet.workspace, fleet.publisher);
  await expectRefused(gateway, "trust.signature");
  await release(next, { version: "1.0.0" });
  await deployTo(next, "plant-7", "boiler@1.0.0");
  await expectDeployed(createGateway(next), 1);
});
