// Attack: what is signed and what is served differ in a length or a hash alone.
import { describe, expect, test } from "vitest";
import { signSnapshot, signTimestamp } from "../../src/operator/repository/metadata.ts";
import {
  createFleet,
  createWasm,
  dayMs,
  deployTo,
  expectDeployed,
  expectRefused,
  publishAll,
  startGateway,
} from "../support/fleet.ts";
import type { Fleet } from "../support/fleet.ts";
import { forgeDirector, createDeployment } from "../support/forgeDirector.ts";
import { readImageFile } from "../support/rotateRoot.ts";

/** Signs a snapshot and a timestamp that name these bytes, and serves the honest targets with `served` for a snapshot. */
async function serve(fleet: Fleet, named: { targets?: Uint8Array; snapshot?: (honest: Uint8Array) => Uint8Array }) {
  const times = { expiresMs: fleet.time.nowMs + dayMs, signedAtMs: fleet.time.nowMs };
  const targets = named.targets ?? (await readImageFile(fleet, "2.targets.json"));
  const content = { version: 9, ...times, targets: { version: 2, bytes: targets } };
  const snapshot = await signSnapshot(content, await fleet.workspace.loadKey("snapshot"));
  const timestamp = { version: 9, ...times, snapshot: { version: 9, bytes: named.snapshot?.(snapshot) ?? snapshot } };
  fleet.broker.set("outstation/v1/image/9.snapshot.json", snapshot);
  fleet.broker.set(
    "outstation/v1/image/timestamp.json",
    await signTimestamp(timestamp, await fleet.workspace.loadKey("timestamp")),
  );
}

const sameLength = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes).fill(0, 0, 1);
const others: readonly [string, (bytes: Uint8Array) => Uint8Array][] = [
  ["hash", sameLength],
  ["shorter length", (bytes) => bytes.subarray(1)],
  ["longer length", (bytes) => Uint8Array.of(...bytes, 32)],
];

describe("metadata that is not as it is named", () => {
  test("is accepted when it is", async () => {
    await using fleet = await createFleet();
    const gateway = await startGateway(fleet);
    await serve(fleet, {});
    await expectDeployed(gateway, 1);
  });

  test.each(others)("is refused for another %s of the snapshot", async (_, change) => {
    await using fleet = await createFleet();
    const gateway = await startGateway(fleet);
    await serve(fleet, { snapshot: change });
    await expectRefused(gateway, "trust.mismatch");
    expect(fleet.broker.size).toBeGreaterThan(0);
  });

  test.each(others)("is refused for another %s of the targets", async (_, change) => {
    await using fleet = await createFleet();
    const gateway = await startGateway(fleet);
    await serve(fleet, { targets: change(await readImageFile(fleet, "2.targets.json")) });
    await expectRefused(gateway, "trust.mismatch");
    expect(fleet.broker.size).toBeGreaterThan(0);
  });
});

describe("a target that is not as both repositories name it", () => {
  test.each(others)("is refused for another %s in the director", async (_, change) => {
    await using fleet = await createFleet();
    const gateway = await startGateway(fleet);
    const bytes = change(createWasm("boiler@1.0.0"));
    await forgeDirector(fleet, "plant-7", [
      createDeployment(2, "plant-7", "boiler@1.0.0"),
      { path: "boiler/1.0.0.wasm", bytes },
    ]);
    await expectRefused(gateway, "trust.disagreement");
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await publishAll(fleet, "plant-7");
    expect(await gateway.refresh()).toMatchObject({ targets: expect.anything() });
  });
});
