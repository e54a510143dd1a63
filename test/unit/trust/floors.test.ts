// Floors only rise, survive a damaged copy, and fall only when a newer root takes a key away.
import { describe, expect, test } from "vitest";
import { limits } from "../../../src/base/limits.ts";
import { floorOf, loadFloors, raiseFloor, saveFloors } from "../../../src/trust/floors.ts";
import type { Floors } from "../../../src/trust/floors.ts";
import type { Authority } from "../../../src/trust/tuf/metadata.ts";
import { createMemoryDisk } from "../../support/memoryDisk.ts";

function named(version: number, keys: readonly string[]): Authority {
  return { version, keys };
}

const timestamp = "image/timestamp";
const authority = named(3, ["a", "b"]);
const raised = raiseFloor(new Map(), timestamp, { authority, value: 7 });

describe("floors", () => {
  test("start at nothing and only rise", () => {
    expect(floorOf(new Map(), timestamp, authority)).toBe(0);
    expect(floorOf(raiseFloor(raised, timestamp, { authority, value: 5 }), timestamp, authority)).toBe(7);
    expect(floorOf(raiseFloor(raised, timestamp, { authority, value: 9 }), timestamp, authority)).toBe(9);
  });

  test("fall when a newer root takes a key of that role away", () => {
    expect(floorOf(raised, timestamp, named(4, ["a"]))).toBe(0);
    expect(floorOf(raised, timestamp, named(4, ["c"]))).toBe(0);
  });

  test("stay when a newer root only adds a key, or the root is not newer", () => {
    expect(floorOf(raised, timestamp, named(4, ["a", "b", "c"]))).toBe(7);
    expect(floorOf(raised, timestamp, named(3, ["c"]))).toBe(7);
    expect(floorOf(raised, timestamp, named(2, ["c"]))).toBe(7);
  });

  test("of publishers are forgotten, oldest first, before their file is longer than what is read of it", async () => {
    const disk = createMemoryDisk();
    const keys = Array.from({ length: 16 }, (_, n) => `${n}`.repeat(64).slice(0, 64));
    let floors: Floors = raised;
    for (let version = 1; version <= 1000; version += 1)
      for (const name of [`image/publisher/p${version}`, `image/counter/boiler/p${version}`])
        floors = raiseFloor(floors, name, { authority: named(version, keys), value: version });
    await saveFloors(disk, "/trust", raiseFloor(floors, "image/counter/boiler", { authority, value: 3 }));
    const kept = await loadFloors(disk, "/trust");
    expect([...kept.keys()].filter((name) => name.includes("/p"))).toHaveLength(limits.trust.publisherFloors);
    expect(kept.get("image/publisher/p1000")?.value).toBe(1000);
    expect(kept.has("image/publisher/p1")).toBe(false);
    expect([kept.get(timestamp)?.value, kept.get("image/counter/boiler")?.value]).toEqual([7, 3]);
  });

  test("are read from the other copy when one is damaged or missing", async () => {
    const disk = createMemoryDisk();
    await saveFloors(disk, "/trust", raised);
    disk.files.set("/trust/floors.json", new Uint8Array());
    expect(await loadFloors(disk, "/trust")).toEqual(raised);
    disk.files.delete("/trust/floors.json");
    expect(await loadFloors(disk, "/trust")).toEqual(raised);
  });

  test("are not forgotten silently when both copies are damaged", async () => {
    const disk = createMemoryDisk();
    await saveFloors(disk, "/trust", raised);
    for (const path of disk.files.keys()) disk.files.set(path, new Uint8Array());
    await expect(loadFloors(disk, "/trust")).rejects.toMatchObject({ code: "floors-unreadable" });
  });

  test("survive a power cut between the two copies", async () => {
    const disk = createMemoryDisk();
    await saveFloors(disk, "/trust", raised);
    const higher: Floors = raiseFloor(raised, timestamp, { authority, value: 8 });
    const writeFile = (path: string, bytes: Uint8Array): Promise<void> =>
      path.includes("copy") ? Promise.reject(new Error("power cut")) : disk.writeFile(path, bytes);
    await expect(saveFloors({ ...disk, writeFile }, "/trust", higher)).rejects.toThrow("power cut");
    expect(floorOf(await loadFloors(disk, "/trust"), timestamp, authority)).toBe(8);
  });
});
