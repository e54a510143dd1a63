// The wrapper around tuf-js: the time is ours, its private fields are where we expect them, and no message is matched.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { TargetFile, Targets } from "@tufjs/models";
import { describe, expect, test } from "vitest";
import { imageDirectory } from "../../../src/operator/repository/places.ts";
import { openScratch } from "../../../src/trust/scratch.ts";
import { readRoot, readTargets } from "../../../src/trust/tuf/metadata.ts";
import { runUpdater } from "../../../src/trust/tuf/updater.ts";
import { createFleet, dayMs, startMs } from "../../support/fleet.ts";
import type { Fleet } from "../../support/fleet.ts";

async function run(
  fleet: Fleet,
  nowMs: number,
  changes: Readonly<Record<string, Uint8Array | undefined>> = {},
): ReturnType<typeof runUpdater> {
  const root = new TextEncoder().encode(fleet.factory.imageRoot);
  await using scratch = await openScratch(new Map([["root.json", root]]));
  const fetchFile = async (name: string): Promise<Uint8Array | undefined> => {
    if (name in changes) return changes[name];
    const read = readFile(join(imageDirectory(fleet.workspace), name));
    return read.catch(() => undefined);
  };
  return await runUpdater({ directory: scratch.directory, fetchFile, nowMs });
}

describe("the tuf-js wrapper", () => {
  test("takes its time from the caller, both ways, so tuf-js still keeps it where we set it", async () => {
    await using fleet = await createFleet();
    expect(await run(fleet, startMs + dayMs)).toMatchObject({ versions: { timestamp: 1 }, signedAtMs: startMs });
    expect(await run(fleet, startMs + 8 * dayMs)).toMatchObject({ rule: "trust.expired" });
    expect(await run(fleet, Number.MAX_SAFE_INTEGER)).toMatchObject({ rule: "trust.expired" });
  });

  test("says that there is no timestamp, and names any other file that is missing", async () => {
    await using fleet = await createFleet();
    expect(await run(fleet, startMs, { "timestamp.json": undefined })).toBe("no-timestamp");
    for (const name of ["1.snapshot.json", "1.targets.json"])
      expect(await run(fleet, startMs, { [name]: undefined })).toMatchObject({
        rule: "trust.missing",
        seen: expect.stringContaining(name),
      });
  });

  test("calls what does not parse malformed, at each role", async () => {
    await using fleet = await createFleet();
    for (const text of ["", "{}", "[]", "null", '{"signed":{},"signatures":[]}']) {
      const changes = { "timestamp.json": new TextEncoder().encode(text) };
      expect(await run(fleet, startMs, changes)).toMatchObject({ rule: "trust.malformed" });
      expect(await run(fleet, startMs, { "2.root.json": changes["timestamp.json"] })).toMatchObject({
        rule: "trust.malformed",
      });
    }
  });

  test("stops an endless file at the bound of its role", async () => {
    await using fleet = await createFleet();
    for (const name of ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"])
      expect(await run(fleet, startMs, { [name]: new Uint8Array(3 * 1024 * 1024) })).toMatchObject({
        rule: "trust.mismatch",
        seen: expect.stringContaining("longer than"),
      });
  });

  test("asks for no more bytes than signed", async () => {
    await using fleet = await createFleet();
    const asked = new Map<string, number>();
    await using scratch = await openScratch(
      new Map([["root.json", new TextEncoder().encode(fleet.factory.imageRoot)]]),
    );
    const fetchFile = async (name: string, maxBytes: number): Promise<Uint8Array | undefined> => {
      asked.set(name, maxBytes);
      return readFile(join(imageDirectory(fleet.workspace), name)).catch(() => undefined);
    };
    await runUpdater({ directory: scratch.directory, fetchFile, nowMs: startMs });
    const snapshot = await readFile(join(imageDirectory(fleet.workspace), "1.snapshot.json"));
    expect(asked.get("1.snapshot.json")).toBe(snapshot.byteLength);
    expect(asked.get("timestamp.json")).toBe(16_384);
  });

  test("trusts no root that is damaged anywhere", async () => {
    await using fleet = await createFleet();
    const text = fleet.factory.imageRoot;
    const encode = (changed: string): Uint8Array => new TextEncoder().encode(changed);
    expect(readRoot(encode(text))?.version).toBe(1);
    for (const damaged of ["", text.slice(0, -20), text.replace('"version":1', '"version":9'), "null"])
      expect(readRoot(encode(damaged))).toBeUndefined();
  });

  test.each([
    ["a hash that is a path", "boiler/1.0.0.wasm", "../../floors"],
    ["a path without end", `boiler/${"1".repeat(300)}.wasm`, "a".repeat(64)],
  ])("reads no targets with %s", (_what, path, sha256) => {
    const target = new TargetFile({ path, length: 1, hashes: { sha256 } });
    const targets = { specVersion: "1.0.31", version: 1, expires: "2027-01-01T00:00:00Z", targets: { [path]: target } };
    expect(readTargets(new Targets(targets), "targets")).toBeUndefined();
  });
});
