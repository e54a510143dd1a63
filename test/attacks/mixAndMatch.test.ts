// Attack: files of different moments, each validly signed, are served together.
import { describe, expect, test } from "vitest";
import { packRound } from "../../src/protocol/packing.ts";
import { signTimestamp } from "../../src/operator/repository/metadata.ts";
import {
  createFleet,
  createGateway,
  dayMs,
  deployTo,
  expectDeployed,
  expectRefused,
  release,
  withholdRounds,
} from "../support/fleet.ts";
import type { Fleet, Gateway } from "../support/fleet.ts";
import { readImageFile } from "../support/rotateRoot.ts";

async function startFleet(fleet: Fleet): Promise<Gateway> {
  const gateway = createGateway(fleet);
  await release(fleet, { version: "1.0.0" });
  await deployTo(fleet, "plant-7", "boiler@1.0.0");
  await expectDeployed(gateway, 1);
  await release(fleet, { version: "1.1.0" });
  await deployTo(fleet, "plant-7", "boiler@1.1.0");
  return gateway;
}

describe("files of different moments", () => {
  test.each([
    ["image/3.targets.json", "image/2.targets.json"],
    ["image/3.snapshot.json", "image/2.snapshot.json"],
    ["gateway/plant-7/in/director/3.targets.json", "gateway/plant-7/in/director/2.targets.json"],
    ["image/3.targets.json", "gateway/plant-7/in/director/3.targets.json"],
  ])("are refused: %s with the content of %s", async (name, content) => {
    await using fleet = await createFleet();
    const gateway = await startFleet(fleet);
    const payload = fleet.broker.get(`outstation/v1/${content}`);
    expect(payload).toBeDefined();
    withholdRounds(fleet);
    fleet.broker.set(`outstation/v1/${name}`, payload ?? new Uint8Array());
    await expectRefused(gateway, "trust.mismatch");
  });

  test("are refused when the timestamp names a version that the snapshot does not have", async () => {
    await using fleet = await createFleet();
    const gateway = await startFleet(fleet);
    const bytes = await readImageFile(fleet, "3.snapshot.json");
    const key = await fleet.workspace.loadKey("timestamp");
    const times = { expiresMs: fleet.time.nowMs + dayMs, signedAtMs: fleet.time.nowMs };
    const timestamp = await signTimestamp({ version: 9, ...times, snapshot: { version: 9, bytes } }, key);
    fleet.broker.set("outstation/v1/image/timestamp.json", timestamp);
    fleet.broker.set("outstation/v1/image/9.snapshot.json", bytes);
    await expectRefused(gateway, "trust.mismatch");
    expect(await gateway.refresh()).toMatchObject({ kind: "refused" });
  });

  test("are refused when they come as the difference from the round before", async () => {
    await using fleet = await createFleet();
    const gateway = await startFleet(fleet);
    const [snapshot, targets] = await Promise.all(
      ["2.snapshot.json", "2.targets.json"].map((name) => readImageFile(fleet, name)),
    );
    const base = [snapshot ?? new Uint8Array(), targets ?? new Uint8Array()];
    const files = new Map([
      ["3.snapshot.json", await readImageFile(fleet, "3.snapshot.json")],
      ["3.targets.json", base[1] ?? new Uint8Array()],
    ]);
    fleet.broker.set("outstation/v1/image/from.2.round", await packRound(files, base));
    await expectRefused(gateway, "trust.mismatch");
  });

  test("are refused when one that the metadata names is withheld", async () => {
    await using fleet = await createFleet();
    const gateway = await startFleet(fleet);
    withholdRounds(fleet);
    fleet.broker.delete("outstation/v1/image/3.targets.json");
    await expectRefused(gateway, "trust.missing");
    expect(fleet.broker.has("outstation/v1/image/3.snapshot.json")).toBe(true);
  });
});
