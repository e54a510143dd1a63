// One gateway that cannot be renewed must not let the metadata of all others expire.
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createDirector, listGateways } from "../../../src/operator/repository/director.ts";
import { directorDirectory, gatewaysDirectory } from "../../../src/operator/repository/places.ts";
import { loadRepository } from "../../../src/operator/repository/repository.ts";
import { renewFleet } from "../../../src/operator/serve/renewFleet.ts";
import { createFleet, dayMs, deployTo, release, type Fleet } from "../../support/fleet.ts";

async function createOldFleet(): Promise<Fleet> {
  const fleet = await createFleet();
  await release(fleet, { version: "1.0.0" });
  for (const gateway of ["plant-2", "plant-3"]) await deployTo(fleet, gateway, "boiler@1.0.0");
  return fleet;
}

async function timestampOf({ workspace }: Fleet, gateway: string): Promise<number> {
  return (await loadRepository(directorDirectory(workspace, gateway))).versions.timestamp;
}

describe("a fleet is renewed", () => {
  test("past a gateway whose first signature failed halfway, and past files that are no gateway", async () => {
    await using fleet = await createOldFleet();
    const locked = { ...fleet.workspace, findKey: () => Promise.reject(new Error("wrong passphrase")) };
    await expect(createDirector(locked, "plant-1")).rejects.toThrow("wrong passphrase");
    await writeFile(join(gatewaysDirectory(fleet.workspace), ".directory"), "");
    fleet.time.nowMs += 4 * dayMs;
    expect(await listGateways(fleet.workspace)).toEqual(["plant-2", "plant-3"]);
    expect(await renewFleet(fleet.workspace, fleet.publisher)).toEqual({ image: true, directors: 2 });
    await createDirector(fleet.workspace, "plant-1");
    expect(await listGateways(fleet.workspace)).toEqual(["plant-1", "plant-2", "plant-3"]);
  });

  test("past an image repository that cannot be signed, which is told in the end", async () => {
    await using fleet = await createOldFleet();
    const before = await timestampOf(fleet, "plant-3");
    const { keyId } = await fleet.workspace.loadKey("snapshot");
    const findKey: typeof fleet.workspace.findKey = (id) =>
      id === keyId ? Promise.reject(new Error("the token is gone")) : fleet.workspace.findKey(id);
    fleet.time.nowMs += 4 * dayMs;
    await expect(renewFleet({ ...fleet.workspace, findKey }, fleet.publisher)).rejects.toThrow("the token is gone");
    expect(await timestampOf(fleet, "plant-3")).toBe(before + 1);
  });

  test("past a gateway whose files are damaged, which is told in the end", async () => {
    await using fleet = await createOldFleet();
    const before = await timestampOf(fleet, "plant-3");
    await rm(join(directorDirectory(fleet.workspace, "plant-2"), "2.snapshot.json"));
    fleet.time.nowMs += 4 * dayMs;
    await expect(renewFleet(fleet.workspace, fleet.publisher)).rejects.toMatchObject({ code: "file-missing" });
    expect(await timestampOf(fleet, "plant-3")).toBe(before + 1);
  });
});
