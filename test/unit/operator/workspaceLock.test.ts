// Two that sign in one workspace at once sign one after the other: none of them loses what the other changed.
import { AsyncLocalStorage } from "node:async_hooks";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { renewRoot } from "../../../src/operator/ceremony/changeKeys.ts";
import { changeTargets } from "../../../src/operator/ceremony/changeTargets.ts";
import { createKey } from "../../../src/operator/keys/key.ts";
import { publishDeployment } from "../../../src/operator/publish.ts";
import { addRelease, listReleases, renewImageWhenStale } from "../../../src/operator/repository/addRelease.ts";
import { addPublisher } from "../../../src/operator/repository/delegations.ts";
import { imageDirectory } from "../../../src/operator/repository/places.ts";
import { loadRepository } from "../../../src/operator/repository/repository.ts";
import type { Workspace } from "../../../src/operator/workspace.ts";
import { withWorkspaceLock } from "../../../src/operator/workspaceLock.ts";
import { createFleet, createWasm, dayMs, deployTo, release, type Fleet } from "../../support/fleet.ts";

/** Runs a task as another process would: it has none of our locks. */
const elsewhere = AsyncLocalStorage.snapshot();

/** With a publisher, and with a clock that lets others work while it waits. */
async function createShared(): Promise<Fleet> {
  const fleet = await createFleet();
  const clock = { ...fleet.workspace.clock, sleep: () => systemClock.sleep(1) };
  const workspace = { ...fleet.workspace, clock };
  const keys = [await createKey(join(workspace.directory, "keys", "acme.pem"))];
  const acme = { name: "acme", paths: ["boiler/*"], keys, threshold: 1 };
  await changeTargets(workspace, "targets", ({ delegations }) => ({
    targets: [],
    delegations: addPublisher(delegations, acme),
  }));
  return { ...fleet, workspace };
}

/** The same workspace, and when somebody first waits for its lock. */
function watchWaiting(workspace: Workspace): { readonly workspace: Workspace; readonly waited: Promise<void> } {
  const waited = Promise.withResolvers<void>();
  const sleep = (): Promise<void> => {
    waited.resolve();
    return systemClock.sleep(1);
  };
  return { workspace: { ...workspace, clock: { ...workspace.clock, sleep } }, waited: waited.promise };
}

describe("the workspace's lock", () => {
  test("keeps a release that is added while ageing targets are renewed", async () => {
    await using fleet = await createShared();
    const { workspace } = fleet;
    fleet.time.nowMs += 80 * dayMs;
    const { workspace: other, waited } = watchWaiting(workspace);
    let adding: Promise<unknown> | undefined;
    const findKey: Workspace["findKey"] = async (keyId) => {
      adding ??= elsewhere(() =>
        addRelease(other, { component: "pump", version: "1.0.0", wasmBytes: createWasm("pump") }),
      );
      await Promise.race([waited, adding]);
      return workspace.findKey(keyId);
    };
    await renewImageWhenStale({ ...workspace, findKey });
    await adding;
    expect(await listReleases(workspace)).toHaveLength(1);
  });

  test("is waited for by a deployment that renews the image repository on its way", async () => {
    await using fleet = await createShared();
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    fleet.time.nowMs += 4 * dayMs;
    const versionNow = async (): Promise<number> =>
      (await loadRepository(imageDirectory(fleet.workspace))).versions.timestamp;
    const before = await versionNow();
    const { workspace, waited } = watchWaiting(fleet.workspace);
    let publishing = Promise.resolve();
    await withWorkspaceLock(fleet.workspace, async () => {
      publishing = elsewhere(() => publishDeployment(workspace, "plant-7", fleet.publisher));
      await Promise.race([waited, publishing]);
      expect(await versionNow()).toBe(before);
    });
    await publishing;
    expect(await versionNow()).toBe(before + 1);
  });

  test("is had by who has it already", async () => {
    await using fleet = await createShared();
    const { workspace } = fleet;
    const renewed = await withWorkspaceLock(workspace, () =>
      withWorkspaceLock(workspace, () => renewRoot(workspace, "image")),
    );
    expect(renewed).toContain("image.2.root.json");
  });
});
