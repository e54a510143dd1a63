// Releases whose keys are elsewhere: proposed, signed there under their threshold, merged here; renewed without them.
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeAgeing } from "../../../src/operator/ceremony/ageing.ts";
import { mergeProposals } from "../../../src/operator/ceremony/merge.ts";
import { signProposal } from "../../../src/operator/ceremony/sign.ts";
import { renewTargets } from "../../../src/operator/ceremony/changeTargets.ts";
import { publishReleases } from "../../../src/operator/publish.ts";
import { addRelease, listReleases, renewImageWhenStale } from "../../../src/operator/repository/addRelease.ts";
import { imageDirectory } from "../../../src/operator/repository/places.ts";
import { loadRepository } from "../../../src/operator/repository/repository.ts";
import {
  createFleet,
  createGateway,
  createWasm,
  dayMs,
  deployTo,
  expectDeployed,
  publishAll,
  release,
} from "../../support/fleet.ts";
import type { Fleet } from "../../support/fleet.ts";
import { renewDirector } from "../../../src/operator/repository/director.ts";

const keys = ["targets-1", "targets-2", "targets-3"];

/** A fleet with 2 of 3 targets keys, all of them moved away after it released boiler@1.0.0. */
async function createOfflineFleet(): Promise<Fleet> {
  const fleet = await createFleet({ targets: { keys: 3, threshold: 2 } });
  await release(fleet, { version: "1.0.0" });
  await mkdir(join(fleet.workspace.directory, "usb"));
  for (const name of keys) await move(fleet, name, ["keys", "usb"]);
  return fleet;
}

function move({ workspace }: Fleet, name: string, [from, to]: readonly [string, string]): Promise<void> {
  return rename(join(workspace.directory, from, `${name}.pem`), join(workspace.directory, to, `${name}.pem`));
}

async function add(fleet: Fleet, version: string): Promise<string> {
  const { pending } = await addRelease(fleet.workspace, {
    component: "boiler",
    version,
    wasmBytes: createWasm(version),
  });
  if (pending === undefined) throw new Error("the release is signed at once");
  return pending;
}

async function signAway({ workspace }: Fleet, path: string, name: string): Promise<readonly string[]> {
  const keyPath = join(workspace.directory, "usb", `${name}.pem`);
  return (await signProposal({ kind: "targets", path, keyPath, secrets: workspace.secrets })).lines;
}

describe("a release without its keys", () => {
  test("waits for the threshold, shows what it adds, and then reaches gateways", async () => {
    await using fleet = await createOfflineFleet();
    const { workspace } = fleet;
    const path = await add(fleet, "1.1.0");
    expect(path).toBe(join(workspace.directory, "pending", "targets.3.json"));
    expect(await listReleases(workspace)).toHaveLength(1);
    const lines = await signAway(fleet, path, "targets-2");
    expect(lines.filter((line) => line.startsWith("  "))).toEqual([expect.stringContaining("+ boiler/1.1.0.wasm")]);
    await expect(mergeProposals(workspace, "targets", [path])).rejects.toMatchObject({ code: "signatures-missing" });
    await signAway(fleet, path, "targets-3");
    expect(await mergeProposals(workspace, "targets", [path])).toMatchObject({ version: 3 });
    await publishReleases(workspace, fleet.publisher);
    await deployTo(fleet, "plant-7", "boiler@1.1.0");
    await expectDeployed(createGateway(fleet), 1);
  });

  test("is the only one that waits", async () => {
    await using fleet = await createOfflineFleet();
    const path = await add(fleet, "1.1.0");
    await expect(add(fleet, "1.2.0")).rejects.toMatchObject({
      code: "proposal-exists",
      message: expect.stringContaining(path),
    });
    expect(await renewTargets(fleet.workspace, "targets")).toEqual({ kind: "pending", path });
  });

  test("takes the signatures of the keys that are here at once", async () => {
    await using fleet = await createOfflineFleet();
    await move(fleet, "targets-1", ["usb", "keys"]);
    const path = await add(fleet, "1.1.0");
    await signAway(fleet, path, "targets-2");
    expect(await mergeProposals(fleet.workspace, "targets", [path])).toMatchObject({ version: 3 });
  });

  test("is shown line by line, whatever names a hostile file has in it", async () => {
    await using fleet = await createOfflineFleet();
    const path = await add(fleet, "1.1.0");
    const text = await readFile(path, "utf8");
    const hostile = join(fleet.workspace.directory, "usb", "targets.3.json");
    await writeFile(hostile, text.replace('"boiler/1.1.0.wasm"', '"x\\n  the same releases and publishers"'));
    const lines = await signAway(fleet, hostile, "targets-2");
    expect(lines.filter((line) => line.includes("\n"))).toEqual([]);
    expect(lines).toContainEqual(expect.stringContaining("+ x\\n  the same releases"));
    await expect(mergeProposals(fleet.workspace, "targets", [hostile])).rejects.toMatchObject({
      code: "proposal-invalid",
    });
  });

  test("is not signed by a key of another role that counts", async () => {
    await using fleet = await createOfflineFleet();
    const path = await add(fleet, "1.1.0");
    await rename(
      join(fleet.workspace.directory, "keys", "snapshot.pem"),
      join(fleet.workspace.directory, "usb", "x.pem"),
    );
    await signAway(fleet, path, "x");
    await expect(mergeProposals(fleet.workspace, "targets", [path])).rejects.toMatchObject({
      message: expect.stringContaining("whose word does not count here"),
    });
  });
});

describe("renewal without the targets keys", () => {
  test("keeps gateways installing for as long as the list of releases itself is valid", async () => {
    await using fleet = await createOfflineFleet();
    const { workspace } = fleet;
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    for (let week = 0; week < 4; week += 1) {
      fleet.time.nowMs += 7 * dayMs;
      expect(await renewImageWhenStale(workspace)).toBe(true);
      await renewDirector(workspace, "plant-7");
      await publishAll(fleet, "plant-7");
      await expectDeployed(createGateway(fleet), 1);
    }
    const { versions } = await loadRepository(imageDirectory(workspace));
    expect(versions).toEqual({ timestamp: 6, snapshot: 6, targets: 2 });
  });

  test("is told of while there is time, with the command that renews", async () => {
    await using fleet = await createOfflineFleet();
    expect(await describeAgeing(fleet.workspace)).toEqual([]);
    fleet.time.nowMs += 70 * dayMs;
    expect(await describeAgeing(fleet.workspace)).toEqual([
      "the list of releases expires on 2027-04-01, and gateways install nothing after that: outstation targets renew",
    ]);
    fleet.time.nowMs += 280 * dayMs;
    const lines = await describeAgeing(fleet.workspace);
    expect(lines.map((line) => line.split(": ").at(-1))).toEqual([
      "outstation root renew image",
      "outstation root renew director",
      "outstation targets renew",
    ]);
  });

  test("signs the list of releases too, when it ages and its keys are here", async () => {
    await using fleet = await createFleet();
    await release(fleet, { version: "1.0.0" });
    fleet.time.nowMs += 68 * dayMs;
    await renewImageWhenStale(fleet.workspace);
    const { versions, expiries } = await loadRepository(imageDirectory(fleet.workspace));
    expect(versions.targets).toBe(3);
    expect(expiries.targets).toBe(fleet.time.nowMs + 90 * dayMs);
  });
});
