// Attack: the bytes of a component are changed on the way, or on the broker.
import { describe, expect, test } from "vitest";
import { packFile, unpackFile } from "../../src/protocol/packing.ts";
import type { VerifiedTarget } from "../../src/protocol/release.ts";
import { verifyComponent } from "../../src/trust/verifyComponent.ts";
import { piecesOf } from "../support/expand.ts";
import { createMemoryDisk } from "../support/memoryDisk.ts";
import { createFleet, createGateway, createWasm, deployTo, expectDeployed, release } from "../support/fleet.ts";

describe("a tampered component", () => {
  test("is refused for one flipped bit, one byte less, one byte more, and another release's bytes", async () => {
    await using fleet = await createFleet();
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    const { targets } = await expectDeployed(createGateway(fleet), 1);
    const target = targets.get("boiler") as VerifiedTarget;
    const bytes = createWasm("boiler@1.0.0");
    const disk = createMemoryDisk();
    const verify = (offered: Uint8Array): ReturnType<typeof verifyComponent> =>
      verifyComponent(target, piecesOf(offered), () => disk.stageFile("/staged"));
    expect(await verify(bytes)).toMatchObject({ target });
    const flipped = Uint8Array.from(bytes);
    flipped[100] = (bytes[100] ?? 0) ^ 1;
    for (const tampered of [flipped, bytes.subarray(1), Uint8Array.of(...bytes, 0), createWasm("boiler@1.0.1")])
      expect(await verify(tampered)).toMatchObject({ kind: "refused", rule: "delivery.hash" });
  });
});

describe("a tampered document", () => {
  test.each([["deployment.json"], ["operators.json"]])("%s is refused", async (document) => {
    await using fleet = await createFleet();
    const gateway = createGateway(fleet);
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    const [topic = "", payload = new Uint8Array()] = [...fleet.broker].find(([name]) => name.endsWith(document)) ?? [];
    const { bytes, hint } = await unpackFile(payload, 10_000);
    const changed = [Uint8Array.from(bytes).fill(32, 10, 11), Uint8Array.of(...bytes, 32), bytes.subarray(1)];
    for (const tampered of changed)
      for (const sent of [tampered, await packFile(tampered, hint ?? { root: 1, snapshot: 1, oldestBase: 1 })]) {
        fleet.broker.set(topic, sent);
        expect(await gateway.refresh()).toMatchObject({ kind: "refused", rule: "trust.mismatch" });
      }
    fleet.broker.set(topic, payload.subarray(0, -4));
    expect(await gateway.refresh()).toMatchObject({ kind: "refused", rule: "trust.mismatch" });
  });
});
