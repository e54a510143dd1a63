// Releases are immutable, counted and cheap to move; deployments are checked before anything is signed.
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { sha256Hex } from "../../../src/base/hash.ts";
import { addRelease, listReleases, renewImage } from "../../../src/operator/repository/addRelease.ts";
import { createDirector, deploy, loadDeployment, renewDirector } from "../../../src/operator/repository/director.ts";
import { blobPath, directorDirectory, imageDirectory } from "../../../src/operator/repository/places.ts";
import { loadRepository } from "../../../src/operator/repository/repository.ts";
import { createFleet, createWasm, startMs } from "../../support/fleet.ts";
import type { Fleet } from "../../support/fleet.ts";
import { applyDelta, expandFull } from "../../support/expand.ts";

async function addVersions(fleet: Fleet, versions: readonly string[]): Promise<void> {
  for (const version of versions)
    await addRelease(fleet.workspace, { component: "boiler", version, wasmBytes: createWasm(version) });
}

describe("image repository", () => {
  test("counts the releases of each component", async () => {
    await using fleet = await createFleet();
    await addVersions(fleet, ["1.0.0", "1.1.0"]);
    await addRelease(fleet.workspace, { component: "pump", version: "0.1.0", wasmBytes: createWasm("pump") });
    const releases = await listReleases(fleet.workspace);
    expect(releases.map(({ release }) => `${release.component}@${release.version} ${release.counter}`)).toEqual([
      "boiler@1.1.0 2",
      "boiler@1.0.0 1",
      "pump@0.1.0 1",
    ]);
  });

  test("keeps a full blob, and deltas from the last three releases, that rebuild the component", async () => {
    await using fleet = await createFleet();
    await addVersions(fleet, ["1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0"]);
    const [newest] = await listReleases(fleet.workspace, "boiler");
    const next = createWasm("1.4.0");
    const read = (sha256: string): Promise<Uint8Array> => readFile(blobPath(fleet.workspace, sha256));
    const full = await read(newest?.release.full.sha256 ?? "");
    expect(sha256Hex(await expandFull(full, next.byteLength))).toBe(newest?.sha256);
    const bases = ["1.3.0", "1.2.0", "1.1.0"].map((version) => createWasm(version));
    expect(Object.keys(newest?.release.deltas ?? {})).toEqual(bases.map(sha256Hex));
    for (const base of bases) {
      const delta = newest?.release.deltas[sha256Hex(base)];
      expect(delta?.length).toBeLessThan(100);
      const rebuilt = await applyDelta(base, await read(delta?.sha256 ?? ""), next.byteLength);
      expect(sha256Hex(rebuilt)).toBe(newest?.sha256);
    }
  });

  test("never changes a release, and signs nothing when it refuses one", async () => {
    await using fleet = await createFleet();
    await addVersions(fleet, ["1.0.0"]);
    const { versions } = await loadRepository(imageDirectory(fleet.workspace));
    const again = { component: "boiler", version: "1.0.0", wasmBytes: createWasm("other") };
    await expect(addRelease(fleet.workspace, again)).rejects.toMatchObject({ code: "release-exists" });
    for (const wrong of [
      { ...again, version: "1.0" },
      { ...again, component: "Boiler/.." },
      { ...again, version: "1.1.0", wasmBytes: new Uint8Array() },
      { ...again, version: "1.1.0", floor: 3 },
    ])
      await expect(addRelease(fleet.workspace, wrong)).rejects.toMatchObject({ code: "release-invalid" });
    expect((await loadRepository(imageDirectory(fleet.workspace))).versions).toEqual(versions);
  });

  test("is signed again with higher versions and the same targets", async () => {
    await using fleet = await createFleet();
    await addVersions(fleet, ["1.0.0"]);
    await renewImage(fleet.workspace);
    const { versions, targets } = await loadRepository(imageDirectory(fleet.workspace));
    expect(versions).toEqual({ timestamp: 3, snapshot: 2, targets: 2 });
    expect(targets.map(({ path }) => path)).toEqual(["boiler/1.0.0.wasm"]);
    const timestamp = await readFile(`${imageDirectory(fleet.workspace)}/timestamp.json`, "utf8");
    expect(JSON.parse(timestamp)).toMatchObject({
      signed: {
        expires: "2027-01-08T00:00:00Z",
        "outstation-signed-at": new Date(startMs).toISOString().replace(".000", ""),
      },
    });
  });
});

describe("director", () => {
  test("signs deployments with rising versions, naming the gateway in every target", async () => {
    await using fleet = await createFleet();
    await addVersions(fleet, ["1.0.0"]);
    await createDirector(fleet.workspace, "plant-7");
    expect(await loadDeployment(fleet.workspace, "plant-7")).toBeUndefined();
    await deploy(fleet.workspace, "plant-7", { boiler: { release: "boiler@1.0.0" } });
    const components = { boiler: { release: "boiler@1.0.0" }, second: { release: "boiler@1.0.0" } };
    expect(await deploy(fleet.workspace, "plant-7", components)).toMatchObject({ version: 2, gateway: "plant-7" });
    await renewDirector(fleet.workspace, "plant-7");
    expect(await loadDeployment(fleet.workspace, "plant-7")).toMatchObject({ version: 2, components });
    const { targets } = await loadRepository(directorDirectory(fleet.workspace, "plant-7"));
    expect(targets.map(({ path }) => path)).toEqual(["deployment.json", "operators.json", "boiler/1.0.0.wasm"]);
    const document = { gateway: "plant-7" };
    expect(targets.map(({ custom }) => custom)).toEqual([document, document, { ...document, counter: 1 }]);
  });

  test("refuses what is not released, not valid or not known, and signs nothing then", async () => {
    await using fleet = await createFleet();
    await expect(deploy(fleet.workspace, "plant-7", {})).rejects.toMatchObject({ code: "gateway-missing" });
    await expect(createDirector(fleet.workspace, "../x")).rejects.toMatchObject({ code: "gateway-invalid" });
    await createDirector(fleet.workspace, "plant-7");
    await expect(createDirector(fleet.workspace, "plant-7")).rejects.toMatchObject({ code: "gateway-invalid" });
    const missing = deploy(fleet.workspace, "plant-7", { boiler: { release: "boiler@9.0.0" } });
    await expect(missing).rejects.toMatchObject({
      code: "release-missing",
      message: expect.stringContaining("outstation release boiler@9.0.0"),
    });
    const invalid = deploy(fleet.workspace, "plant-7", { boiler: { release: "boiler" } });
    await expect(invalid).rejects.toMatchObject({ code: "deployment-invalid" });
    const { versions } = await loadRepository(directorDirectory(fleet.workspace, "plant-7"));
    expect(versions.timestamp).toBe(1);
  });
});
