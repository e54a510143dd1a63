// A publisher's key is stolen, with the online keys: its releases are the thief's until the delegation changes.
import { join } from "node:path";
import { expect, test } from "vitest";
import { sha256Hex } from "../../src/base/hash.ts";
import { rotateKey } from "../../src/operator/ceremony/changeKeys.ts";
import { changeTargets, renewTargets } from "../../src/operator/ceremony/changeTargets.ts";
import { makeKey } from "../../src/operator/keys/makeKey.ts";
import { publishImage } from "../../src/operator/publish.ts";
import { addPublisher } from "../../src/operator/repository/delegations.ts";
import { signSnapshot, signTargets, signTimestamp } from "../../src/operator/repository/metadata.ts";
import { imageDirectory } from "../../src/operator/repository/places.ts";
import { loadRepository } from "../../src/operator/repository/repository.ts";
import { onlineSigners } from "../../src/operator/repository/signers.ts";
import { completeRoot, top } from "../support/ceremony.ts";
import {
  createFleet,
  createGateway,
  createWasm,
  dayMs,
  deployTo,
  expectDeployed,
  expectRefused,
  release,
} from "../support/fleet.ts";
import type { Fleet, Gateway } from "../support/fleet.ts";
import { lookUp } from "../support/stockClient.ts";

const path = "boiler/1.0.0.wasm";

async function delegate(fleet: Fleet, keyName: string): Promise<void> {
  const { workspace } = fleet;
  const directory = join(workspace.directory, "keys");
  const key = await makeKey(directory, { name: keyName, secrets: workspace.secrets, clear: true });
  await changeTargets(workspace, "targets", ({ targets, delegations }) => ({
    targets,
    delegations: addPublisher(delegations, { name: "acme", paths: ["boiler/*"], keys: [key], threshold: 1 }),
  }));
}

/** The publisher's releases emptied, under a version that nothing honest could follow. */
async function forge(fleet: Fleet, keyId: string, version: number): Promise<void> {
  const { workspace, broker, time } = fleet;
  const state = await loadRepository(imageDirectory(workspace));
  const key = await workspace.findKey(keyId);
  const { "targets.json": targets } = state.listed;
  if (key === undefined || targets === undefined) throw new Error("the fleet has a publisher");
  const expiresMs = time.nowMs + dayMs;
  const online = await onlineSigners(workspace, "image");
  const acme = { version, bytes: await signTargets({ version, expiresMs, targets: [] }, [key]) };
  const listed = { version, expiresMs, targets, others: { "acme.json": acme } };
  const snapshot = { version, bytes: await signSnapshot(listed, online.snapshot) };
  const content = { version, expiresMs, signedAtMs: time.nowMs, snapshot };
  broker.set(`outstation/v1/image/${version}.acme.json`, acme.bytes);
  broker.set(`outstation/v1/image/${version}.snapshot.json`, snapshot.bytes);
  broker.set("outstation/v1/image/timestamp.json", await signTimestamp(content, online.timestamp));
}

/** What the gateway installs for the boiler, and every standard client finds, or nothing. */
async function expectFound(fleet: Fleet, gateway: Gateway, sha256: string): Promise<void> {
  const { targets } = await expectDeployed(gateway, 1);
  expect(targets.get("boiler")).toMatchObject({ path, sha256 });
  expect(await lookUp(fleet, path)).toBe(sha256);
}

test("gives the publisher its releases back under a new key, and finds nothing of the thief's", async () => {
  await using fleet = await createFleet();
  const { workspace, publisher } = fleet;
  await delegate(fleet, "acme");
  await release(fleet, { version: "1.0.0", publisher: "acme" });
  await deployTo(fleet, "plant-7", "boiler@1.0.0");
  const gateway = createGateway(fleet);
  const honest = sha256Hex(createWasm("boiler@1.0.0"));
  await expectFound(fleet, gateway, honest);
  const stolen = (await loadRepository(imageDirectory(workspace))).delegations?.roles?.["acme"]?.keyIDs[0] ?? "";
  await forge(fleet, stolen, top);
  await expectRefused(gateway, "trust.disagreement");
  expect(await lookUp(fleet, path)).toBeUndefined();

  await delegate(fleet, "acme-2");
  await renewTargets(workspace, "acme");
  await publishImage(workspace, publisher);
  expect(await lookUp(fleet, path)).toBe(honest);
  // The gateway remembers the height that the stolen online keys drove their versions up to.
  await expectRefused(gateway, "trust.rollback");
  await rotateKey(workspace, "snapshot");
  const { proposals } = await rotateKey(workspace, "timestamp");
  await completeRoot(fleet, proposals[0], ["root-1", "root-2"]);
  await expectFound(fleet, gateway, honest);

  await forge(fleet, stolen, top + 1);
  await expectRefused(gateway, "trust.signature");
  await expect(lookUp(fleet, path)).rejects.toThrow("acme was signed by 0/1 keys");
});
