// Components by hash, and the record of deployments, beyond what the fault sweep already covers.
import { expect, it } from "vitest";
import { limits } from "../../../src/base/limits.ts";
import { sha256Hex } from "../../../src/base/hash.ts";
import { silentLog } from "../../../src/base/log.ts";
import { isRefusal } from "../../../src/protocol/refusal.ts";
import { openComponentStore } from "../../../src/store/componentStore.ts";
import { type CommittedSet, openDeploymentStore } from "../../../src/store/deploymentStore.ts";
import { verifyComponent } from "../../../src/trust/verifyComponent.ts";
import { piecesOf } from "../../support/expand.ts";
import { createFaultDisk } from "../../support/faultDisk.ts";
import { installBytes, readInstalled, targetFor } from "../../support/installed.ts";
import { createManualClock } from "../../support/manualClock.ts";

const options = { clock: createManualClock(0), log: silentLog };

const logic = Uint8Array.from(Buffer.from("logic"));

function setOf(version: number): CommittedSet {
  return { version, deployment: { version, gateway: "g1", components: {} }, components: {} };
}

it("gives out no component whose bytes changed, and takes it again", async () => {
  const disk = createFaultDisk();
  const store = await openComponentStore(disk, "/c", silentLog);
  const sha256 = sha256Hex(logic);
  await installBytes(store, logic);
  expect(await readInstalled(disk, store, sha256)).toEqual(logic);
  disk.damage(`/c/${sha256}.wasm`, 2);
  await installBytes(store, logic);
  expect(await readInstalled(disk, store, sha256)).toEqual(logic);
  disk.damage(`/c/${sha256}.wasm`, 2);
  expect(await store.find(sha256)).toBeUndefined();
  expect(store.has(sha256)).toBe(false);
  expect(await disk.list("/c")).toEqual([]);
});

it("refuses to install a file that was staged elsewhere, and leaves nothing of it", async () => {
  const disk = createFaultDisk();
  const store = await openComponentStore(disk, "/c", silentLog);
  const other = await openComponentStore(disk, "/other", silentLog);
  const target = targetFor(logic);
  const verified = await verifyComponent(target, piecesOf(logic), () => other.stage(target.sha256));
  if (isRefusal(verified)) throw new Error(verified.seen);
  await expect(store.install(verified)).rejects.toThrow("staged here, under its own hash");
  expect(await disk.list("/other")).toEqual([]);
});

it("prunes what is not kept", async () => {
  const disk = createFaultDisk();
  const store = await openComponentStore(disk, "/c", silentLog);
  const old = Uint8Array.from(Buffer.from("old"));
  await installBytes(store, logic);
  await installBytes(store, old);
  expect(await store.prune(new Set([sha256Hex(logic)]))).toEqual([sha256Hex(old)]);
  const again = await openComponentStore(disk, "/c", silentLog);
  expect([logic, old].map((bytes) => again.has(sha256Hex(bytes)))).toEqual([true, false]);
});

const outcome = {
  kind: "committed",
  detail: "deployment 1 is committed",
  at: "1970-01-01T00:00:00.000Z",
  bootId: "b",
} as const;

it("walks from trial to commit to revert, over reopening", async () => {
  const disk = createFaultDisk();
  const store = await openDeploymentStore(disk, "/s", options);
  await store.beginTrial(setOf(1));
  await store.retryTrial();
  expect(store.read().trial?.attempts).toBe(2);
  await store.commitTrial(outcome);
  await store.beginTrial(setOf(2));
  await store.commitTrial(outcome);
  const reopened = await openDeploymentStore(disk, "/s", options);
  expect(reopened.read()).toMatchObject({ active: { version: 2 }, previous: { version: 1 }, failed: [] });
  expect(reopened.read().trial).toBeUndefined();
  await reopened.revert("crashed", outcome);
  await reopened.told(outcome);
  expect(reopened.read()).toEqual({
    active: setOf(1),
    failed: [{ version: 2, reason: "crashed", at: "1970-01-01T00:00:00.000Z" }],
  });
});

it("keeps each outcome until it is told, over reopening", async () => {
  const disk = createFaultDisk();
  const store = await openDeploymentStore(disk, "/s", options);
  const later = { ...outcome, at: "1970-01-01T00:00:01.000Z" };
  await store.beginTrial(setOf(1));
  await store.commitTrial(outcome);
  await store.beginTrial(setOf(2));
  await store.failTrial("trapped", later);
  const reopened = await openDeploymentStore(disk, "/s", options);
  expect(reopened.read().untold).toEqual([outcome, later]);
  await reopened.told(outcome);
  expect((await openDeploymentStore(disk, "/s", options)).read().untold).toEqual([later]);
  await reopened.told(later);
  expect((await openDeploymentStore(disk, "/s", options)).read()).not.toHaveProperty("untold");
});

it("remembers failed deployments up to its bound, and keeps what was active", async () => {
  const store = await openDeploymentStore(createFaultDisk(), "/s", options);
  await store.beginTrial(setOf(1));
  await store.commitTrial(outcome);
  for (let version = 2; version < 30; version += 1) {
    await store.beginTrial(setOf(version));
    await store.failTrial("trapped", outcome);
  }
  expect(store.read().active?.version).toBe(1);
  expect(store.read().failed).toHaveLength(limits.deployment.failedRemembered);
  expect(store.read().failed.at(-1)?.version).toBe(29);
  expect(store.read().untold).toHaveLength(limits.deployment.failedRemembered);
  await expect(store.commitTrial(outcome)).rejects.toThrow("on trial");
});

it.each(["deployments.json", "deployments.1.json"])(
  "reads the copy before when %s is torn or damaged",
  async (name) => {
    for (const spoil of ["truncate", "damage"] as const) {
      const disk = createFaultDisk();
      const store = await openDeploymentStore(disk, "/s", options);
      await store.beginTrial(setOf(1));
      await store.commitTrial(outcome);
      if (name === "deployments.1.json") await store.beginTrial(setOf(2));
      disk[spoil](`/s/${name}`, 100);
      const before = (await openDeploymentStore(disk, "/s", options)).read();
      expect(before).toEqual(
        name === "deployments.json"
          ? { trial: { set: setOf(1), attempts: 1 }, failed: [] }
          : { active: setOf(1), failed: [], untold: [outcome] },
      );
    }
  },
);
