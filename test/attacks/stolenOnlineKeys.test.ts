// Attack: the image repository's online keys, snapshot and timestamp, are stolen; they must not make a release, or change one.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { addRelease } from "../../src/operator/repository/addRelease.ts";
import { publishImage } from "../../src/operator/publish.ts";
import { signSnapshot, signTimestamp } from "../../src/operator/repository/metadata.ts";
import { imageDirectory } from "../../src/operator/repository/places.ts";
import {
  createFleet,
  createWasm,
  dayMs,
  deployTo,
  expectDeployed,
  expectRefused,
  publishAll,
  release,
  withForeignKeys,
  startGateway,
} from "../support/fleet.ts";
import type { Fleet } from "../support/fleet.ts";
import { readImageFile } from "../support/rotateRoot.ts";

/** Serves these targets under a snapshot and a timestamp that the stolen keys signed. */
async function serve(fleet: Fleet, targets: { readonly version: number; readonly bytes: Uint8Array }) {
  const times = { expiresMs: fleet.time.nowMs + dayMs, signedAtMs: fleet.time.nowMs };
  const bytes = await signSnapshot({ version: 9, ...times, targets }, await fleet.workspace.loadKey("snapshot"));
  const timestamp = { version: 9, ...times, snapshot: { version: 9, bytes } };
  fleet.broker.set(`outstation/v1/image/${targets.version}.targets.json`, targets.bytes);
  fleet.broker.set("outstation/v1/image/9.snapshot.json", bytes);
  fleet.broker.set(
    "outstation/v1/image/timestamp.json",
    await signTimestamp(timestamp, await fleet.workspace.loadKey("timestamp")),
  );
}

/** Targets of the same fleet that list malware, signed with a key of the thief's own. */
async function forgeTargets(fleet: Fleet): Promise<Uint8Array> {
  await using thief = await createFleet();
  const wasmBytes = createWasm("malware");
  await addRelease(withForeignKeys(fleet.workspace, thief.workspace, ["targets"]), {
    component: "boiler",
    version: "6.6.6",
    wasmBytes,
  });
  return readFile(join(imageDirectory(fleet.workspace), "3.targets.json"));
}

describe("stolen snapshot and timestamp keys", () => {
  test("cannot add a release", async () => {
    await using fleet = await createFleet();
    const gateway = await startGateway(fleet);
    await serve(fleet, { version: 3, bytes: await forgeTargets(fleet) });
    await expectRefused(gateway, "trust.signature");
    expect([...gateway.disk.files.values()].some((bytes) => Buffer.from(bytes).includes("6.6.6"))).toBe(false);
  });

  test("cannot change what a release is", async () => {
    await using fleet = await createFleet();
    const gateway = await startGateway(fleet);
    const honest = Buffer.from(await readImageFile(fleet, "2.targets.json")).toString();
    const changed = honest.replace(/"sha256":"(.)/, (_, digit: string) => `"sha256":"${digit === "0" ? "1" : "0"}`);
    expect(changed).not.toBe(honest);
    await serve(fleet, { version: 2, bytes: Buffer.from(changed) });
    await expectRefused(gateway, "trust.signature");
  });

  test("cannot bring back a list of releases from before the one that was seen", async () => {
    await using fleet = await createFleet();
    const gateway = await startGateway(fleet);
    await release(fleet, { version: "1.1.0" });
    await deployTo(fleet, "plant-7", "boiler@1.1.0");
    await expectDeployed(gateway, 2);
    await serve(fleet, { version: 2, bytes: await readImageFile(fleet, "2.targets.json") });
    await expectRefused(gateway, "trust.rollback");
    expect(await gateway.refresh()).toMatchObject({ kind: "refused" });
  });

  test("can hide a new release, which is seen as a refusal, and no longer once the newest is published again", async () => {
    await using fleet = await createFleet();
    const gateway = await startGateway(fleet);
    await release(fleet, { version: "1.1.0" });
    await deployTo(fleet, "plant-7", "boiler@1.1.0");
    await serve(fleet, { version: 2, bytes: await readImageFile(fleet, "2.targets.json") });
    await expectRefused(gateway, "trust.disagreement");
    for (let version = 4; version <= 10; version += 1) await release(fleet, { version: `1.${version}.0` });
    await publishImage(fleet.workspace, fleet.publisher);
    await publishAll(fleet, "plant-7");
    await expectDeployed(gateway, 2);
  });
});
