// Attack: somebody else answers a gateway that asks for the time, or an old answer is given again.
import { beforeAll, describe, expect, test } from "vitest";
import { signTime } from "../../src/operator/signTime.ts";
import type { SigningKey } from "../../src/operator/keys/key.ts";
import { silentLog } from "../../src/base/log.ts";
import { attestTime } from "../../src/trust/attestTime.ts";
import { createMemoryDisk } from "../support/memoryDisk.ts";
import type { MemoryDisk } from "../support/memoryDisk.ts";
import { createFleet, dayMs, expectRefused, readMemory, startGateway, startMs } from "../support/fleet.ts";

const question = { gateway: "plant-7", nonce: "nonce-0123456789" };
let director: SigningKey;
let timestamp: SigningKey;
let directorRoot: Uint8Array;

beforeAll(async () => {
  await using fleet = await createFleet();
  director = await fleet.workspace.loadKey("director");
  timestamp = await fleet.workspace.loadKey("timestamp");
  directorRoot = new TextEncoder().encode(fleet.factory.directorRoot);
});

function attest(answer: Uint8Array, disk: MemoryDisk = createMemoryDisk()): ReturnType<typeof attestTime> {
  const location = { disk, directory: "/trust/director", factoryRoot: directorRoot, log: silentLog };
  return attestTime({ disk, directory: "/trust", director: location }, question, answer);
}

function edit(answer: Uint8Array, change: (document: Record<string, unknown>) => void): Uint8Array {
  const document = JSON.parse(new TextDecoder().decode(answer)) as Record<string, unknown>;
  change(document);
  return new TextEncoder().encode(JSON.stringify(document));
}

describe("the time", () => {
  test("is the director's, and outlives the process", async () => {
    const disk = createMemoryDisk();
    expect(await attest(await signTime(question, startMs, director), disk)).toBe(startMs);
    expect(readMemory(disk).get("/trust/floors.json director/attested")).toBe(startMs);
  });

  test("is not believed from another key, for another gateway, or to another question", async () => {
    const refused = { kind: "refused", rule: "trust.time" };
    expect(await attest(await signTime(question, startMs, timestamp))).toMatchObject(refused);
    expect(await attest(await signTime({ ...question, gateway: "plant-8" }, startMs, director))).toMatchObject(refused);
    const old = { ...question, nonce: "nonce-9876543210" };
    expect(await attest(await signTime(old, startMs, director))).toMatchObject(refused);
  });

  test("is not believed when anything of it was changed", async () => {
    const answer = await signTime(question, startMs, director);
    const disk = createMemoryDisk();
    const forgeries = [
      edit(answer, (document) => void (document["timeMs"] = startMs + dayMs)),
      edit(answer, (document) => void (document["nonce"] = "nonce-0000000000")),
      edit(answer, (document) => void (document["signatures"] = [])),
      edit(answer, (document) => void (document["extra"] = 1)),
      answer.subarray(0, -3),
      new Uint8Array(),
      new Uint8Array(100_000),
    ];
    for (const forged of forgeries) expect(await attest(forged, disk)).toMatchObject({ rule: "trust.time" });
    expect(disk.files.size).toBe(0);
  });

  test("is not believed when it is after the root that could take the liar's key away has expired", async () => {
    const late = await signTime(question, startMs + 366 * dayMs, director);
    expect(await attest(late)).toMatchObject({ rule: "trust.time" });
    expect(await attest(await signTime(question, startMs + 364 * dayMs, director))).toBe(startMs + 364 * dayMs);
  });

  test("never goes back behind what was attested before", async () => {
    const disk = createMemoryDisk();
    await attest(await signTime(question, startMs, director), disk);
    expect(await attest(await signTime(question, startMs - 1, director), disk)).toMatchObject({ rule: "trust.time" });
    expect(readMemory(disk).get("/trust/floors.json director/attested")).toBe(startMs);
  });

  test("is not so late that no calendar has it, which would make nothing ever expire", async () => {
    const disk = createMemoryDisk();
    for (const lateMs of [8.64e15, 8.64e15 + 1, Number.MAX_SAFE_INTEGER])
      expect(await attest(await signTime(question, lateMs, director), disk)).toMatchObject({ rule: "trust.time" });
    expect(disk.files.size).toBe(0);
  });

  test("of a thief of the director's key does not make old releases fresh again", async () => {
    await using fleet = await createFleet();
    const gateway = await startGateway(fleet);
    const location = { disk: gateway.disk, directory: "/trust/director", factoryRoot: directorRoot, log: silentLog };
    const factoryRoot = new TextEncoder().encode(fleet.factory.directorRoot);
    const stolen = await fleet.workspace.loadKey("director");
    const answer = await signTime(question, Number.MAX_SAFE_INTEGER, stolen);
    await attestTime(
      { disk: gateway.disk, directory: "/trust", director: { ...location, factoryRoot } },
      question,
      answer,
    );
    fleet.time.nowMs += 30 * dayMs;
    await expectRefused(gateway, "trust.expired");
  });
});
