// Publishers release under their own paths with their own keys, and any standard TUF client finds it so.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sha256Hex } from "../../../src/base/hash.ts";
import { changeTargets, renewTargets } from "../../../src/operator/ceremony/changeTargets.ts";
import { mergeProposals } from "../../../src/operator/ceremony/merge.ts";
import { readPublisherKeys } from "../../../src/operator/ceremony/publisherKeys.ts";
import { makeKey } from "../../../src/operator/keys/makeKey.ts";
import type { MadeKey } from "../../../src/operator/keys/makeKey.ts";
import { publishImage, publishReleases } from "../../../src/operator/publish.ts";
import { addRelease, listReleases } from "../../../src/operator/repository/addRelease.ts";
import { addPublisher, listPublishers, removePublisher } from "../../../src/operator/repository/delegations.ts";
import { imageDirectory } from "../../../src/operator/repository/places.ts";
import { loadRepository } from "../../../src/operator/repository/repository.ts";
import { sign } from "../../support/ceremony.ts";
import { createFleet, createWasm } from "../../support/fleet.ts";
import type { Fleet } from "../../support/fleet.ts";
import { lookUp } from "../../support/stockClient.ts";

async function createPublisherKey({ workspace }: Fleet, name: string): Promise<MadeKey> {
  return makeKey(join(workspace.directory, "keys"), { name, secrets: workspace.secrets, clear: true });
}

async function delegate(
  fleet: Fleet,
  name: string,
  options: { paths: string[]; keys: MadeKey[]; threshold?: number },
): Promise<void> {
  const { paths, keys, threshold = 1 } = options;
  await changeTargets(fleet.workspace, "targets", ({ targets, delegations }) => ({
    targets,
    delegations: addPublisher(delegations, { name, paths, keys, threshold }),
  }));
}

async function releaseAs(fleet: Fleet, publisher: string | undefined, name: string): Promise<string> {
  const [component = "", version = ""] = name.split("@");
  const wasmBytes = createWasm(name);
  const as = publisher === undefined ? {} : { publisher };
  await addRelease(fleet.workspace, { component, version, wasmBytes, ...as });
  await publishReleases(fleet.workspace, fleet.publisher);
  return sha256Hex(wasmBytes);
}

describe("a publisher", () => {
  test("releases under its paths; the snapshot lists it and a standard client finds it", async () => {
    await using fleet = await createFleet();
    const acme = await createPublisherKey(fleet, "acme");
    await delegate(fleet, "acme", { paths: ["boiler/*", "pump-*/*"], keys: [acme] });
    const own = await releaseAs(fleet, undefined, "valve@1.0.0");
    const boiler = await releaseAs(fleet, "acme", "boiler@1.0.0");
    const pump = await releaseAs(fleet, "acme", "pump-7@1.0.0");
    for (const [path, sha256] of [
      ["valve", own],
      ["boiler", boiler],
      ["pump-7", pump],
    ])
      expect(await lookUp(fleet, `${path}/1.0.0.wasm`)).toBe(sha256);
    const snapshot = await readFile(join(imageDirectory(fleet.workspace), "5.snapshot.json"), "utf8");
    expect(JSON.parse(snapshot)).toMatchObject({
      signed: {
        meta: { "acme.json": { version: 2, length: expect.any(Number), hashes: { sha256: expect.any(String) } } },
      },
    });
    const targets = await readFile(join(imageDirectory(fleet.workspace), "3.targets.json"), "utf8");
    expect(JSON.parse(targets)).toMatchObject({
      signed: {
        delegations: {
          keys: { [acme.keyId]: { keytype: "ed25519" } },
          roles: [
            { name: "acme", keyids: [acme.keyId], threshold: 1, terminating: true, paths: ["boiler/*", "pump-*/*"] },
          ],
        },
      },
    });
    expect((await listReleases(fleet.workspace)).map(({ release }) => release.component).sort()).toEqual([
      "boiler",
      "pump-7",
      "valve",
    ]);
  });

  test("goes on counting a component that the fleet released before", async () => {
    await using fleet = await createFleet();
    await releaseAs(fleet, undefined, "boiler@1.0.0");
    await delegate(fleet, "acme", { paths: ["boiler/*"], keys: [await createPublisherKey(fleet, "acme")] });
    await releaseAs(fleet, "acme", "boiler@1.1.0");
    const [newest] = await listReleases(fleet.workspace, "boiler");
    expect(newest?.release).toMatchObject({ version: "1.1.0", counter: 2 });
    expect(Object.keys(newest?.release.deltas ?? {})).toHaveLength(1);
    await expect(releaseAs(fleet, "acme", "boiler@1.0.0")).rejects.toMatchObject({ code: "release-exists" });
  });

  test("is refused outside its paths, and under those of one that comes before it", async () => {
    await using fleet = await createFleet();
    const key = await createPublisherKey(fleet, "acme");
    await delegate(fleet, "acme", { paths: ["boiler/*"], keys: [key] });
    await delegate(fleet, "late", { paths: ["boil*/*"], keys: [key] });
    const refused = async (publisher: string, name: string, words: string): Promise<void> =>
      expect(releaseAs(fleet, publisher, name)).rejects.toMatchObject({
        code: "publisher-invalid",
        message: expect.stringContaining(words),
      });
    await refused("acme", "valve@1.0.0", "valve/1.0.0.wasm is nobody's, not acme's");
    await refused("late", "boiler@1.0.0", "is acme's, not late's");
    await refused("nobody", "boiler@1.0.0", 'There is no publisher "nobody"');
  });

  test("signs elsewhere under its threshold, from its first release on", async () => {
    await using fleet = await createFleet();
    const { workspace } = fleet;
    const keys = [await createPublisherKey(fleet, "acme-1"), await createPublisherKey(fleet, "acme-2")];
    await delegate(fleet, "acme", { paths: ["boiler/*"], keys, threshold: 2 });
    const away = {
      ...workspace,
      findKey: async (keyId: string) =>
        keys.some((key) => key.keyId === keyId) ? undefined : workspace.findKey(keyId),
    };
    const { pending = "" } = await addRelease(away, {
      component: "boiler",
      version: "1.0.0",
      wasmBytes: createWasm("x"),
      publisher: "acme",
    });
    await sign(workspace, "targets", { path: pending, keys: ["acme-1"] });
    await expect(mergeProposals(workspace, "targets", [pending])).rejects.toMatchObject({ code: "signatures-missing" });
    await sign(workspace, "targets", { path: pending, keys: ["acme-2"] });
    await mergeProposals(workspace, "targets", [pending]);
    await publishReleases(workspace, fleet.publisher);
    expect(await lookUp(fleet, "boiler/1.0.0.wasm")).toBe(sha256Hex(createWasm("x")));
  });

  test("that is removed stays in the snapshot, is found no more, and counts on when it comes back", async () => {
    await using fleet = await createFleet();
    const key = await createPublisherKey(fleet, "acme");
    await delegate(fleet, "acme", { paths: ["boiler/*"], keys: [key] });
    await releaseAs(fleet, "acme", "boiler@1.0.0");
    await changeTargets(fleet.workspace, "targets", ({ targets, delegations }) => ({
      targets,
      delegations: removePublisher(delegations, "acme"),
    }));
    await publishImage(fleet.workspace, fleet.publisher);
    expect(await lookUp(fleet, "boiler/1.0.0.wasm")).toBeUndefined();
    expect((await loadRepository(imageDirectory(fleet.workspace))).listed["acme.json"]?.version).toBe(1);
    await delegate(fleet, "acme", { paths: ["boiler/*"], keys: [key] });
    await releaseAs(fleet, "acme", "boiler@1.1.0");
    const [acme] = listPublishers(await loadRepository(imageDirectory(fleet.workspace)));
    expect(acme).toMatchObject({ version: 2, isSigned: true });
  });

  test("must sign again after its keys changed: until then nothing of it is found", async () => {
    await using fleet = await createFleet();
    await delegate(fleet, "acme", { paths: ["boiler/*"], keys: [await createPublisherKey(fleet, "acme")] });
    const sha256 = await releaseAs(fleet, "acme", "boiler@1.0.0");
    await delegate(fleet, "acme", { paths: ["boiler/*"], keys: [await createPublisherKey(fleet, "acme-2")] });
    await publishImage(fleet.workspace, fleet.publisher);
    expect(listPublishers(await loadRepository(imageDirectory(fleet.workspace)))).toMatchObject([{ isSigned: false }]);
    await expect(lookUp(fleet, "boiler/1.0.0.wasm")).rejects.toThrow("acme was signed by 0/1 keys");
    expect(await renewTargets(fleet.workspace, "acme")).toEqual({ kind: "signed" });
    await publishImage(fleet.workspace, fleet.publisher);
    expect(await lookUp(fleet, "boiler/1.0.0.wasm")).toBe(sha256);
  });

  test.each([
    ["a name of TUF's", { name: "snapshot" }, "is no name of a publisher"],
    ["a name that is a path", { name: "../x" }, "is no name of a publisher"],
    ["a name that begins with a digit", { name: "7acme" }, "is no name of a publisher"],
    ["no path", { paths: [] }, "one or more paths"],
    ["a path twice", { paths: ["boiler/*", "boiler/*"] }, "each once"],
    ["a path that is everything", { paths: ["**"] }, "is no path pattern"],
    ["a path that leads out", { paths: ["../*"] }, "is no path pattern"],
    ["a pattern of braces", { paths: ["{a,b}/*"] }, "is no path pattern"],
    ["a path that another has", { paths: ["taken/*"] }, "is other's already"],
    ["no key", { keys: [] }, "1 of 0 keys"],
    ["more signatures than keys", { threshold: 2 }, "2 of 1 keys"],
    ["no signature at all", { threshold: 0 }, "0 of 1 keys"],
  ])("is not added with %s", async (_, changes, words) => {
    await using fleet = await createFleet();
    const key = await createPublisherKey(fleet, "acme");
    await delegate(fleet, "other", { paths: ["taken/*"], keys: [key] });
    const { delegations } = await loadRepository(imageDirectory(fleet.workspace));
    const good = { name: "acme", paths: ["boiler/*"], keys: [key], threshold: 1 };
    expect(() => addPublisher(delegations, { ...good, ...changes })).toThrow(words);
    expect(() => addPublisher(delegations, good)).not.toThrow();
  });

  test("is not one of more than a gateway asks", async () => {
    await using fleet = await createFleet();
    const key = await createPublisherKey(fleet, "acme");
    const add = (count: number): void => {
      let delegations;
      for (let n = 0; n < count; n += 1)
        delegations = addPublisher(delegations, { name: `p${n}`, paths: [`c${n}/*`], keys: [key], threshold: 1 });
    };
    expect(() => add(32)).not.toThrow();
    expect(() => add(33)).toThrow("There may be 32 publishers");
  });

  test("has no key twice, whatever file or id names it", async () => {
    await using fleet = await createFleet();
    const { publicPath, path, keyId } = await createPublisherKey(fleet, "acme");
    for (const again of [publicPath, path, keyId])
      await expect(readPublisherKeys(fleet.workspace, [publicPath, again])).rejects.toMatchObject({
        code: "publisher-invalid",
        message: expect.stringContaining("Each key counts once"),
      });
    await expect(readPublisherKeys(fleet.workspace, ["00".repeat(32)])).rejects.toMatchObject({ code: "key-missing" });
    await expect(readPublisherKeys(fleet.workspace, [fleet.workspace.directory])).rejects.toMatchObject({
      code: "file-failed",
    });
  });
});
