// Roots changed by files: what was proposed is what is signed and merged, and every other file is refused in words.
import { copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { renewRoot, rotateKey } from "../../../src/operator/ceremony/changeKeys.ts";
import { mergeProposals } from "../../../src/operator/ceremony/merge.ts";
import { signProposal } from "../../../src/operator/ceremony/sign.ts";
import { publishAll, renewAll } from "../../../src/operator/ceremony/takeEffect.ts";
import { directorRootDirectory, imageDirectory } from "../../../src/operator/repository/places.ts";
import { loadRoot } from "../../../src/operator/repository/root.ts";
import { completeRoot, keyFile, sign } from "../../support/ceremony.ts";
import { createFleet, dayMs, expectDeployed, startGateway } from "../../support/fleet.ts";
import type { Fleet } from "../../support/fleet.ts";

async function propose(fleet: Fleet): Promise<string> {
  const { proposals } = await rotateKey(fleet.workspace, "timestamp");
  return proposals[0] ?? "";
}

interface RootFile {
  signatures: { keyid: string; sig: string }[];
  signed: { version: number; keys: Record<string, unknown>; roles: Record<string, { keyids: string[] }> };
}

async function edit(path: string, change: (root: RootFile) => void): Promise<void> {
  const root = JSON.parse(await readFile(path, "utf8")) as RootFile;
  change(root);
  await writeFile(path, JSON.stringify(root));
}

describe("signing a root", () => {
  test("shows every change, needs no workspace, and adds one signature a key", async () => {
    await using fleet = await createFleet();
    const { workspace } = fleet;
    const old = await workspace.loadKey("timestamp");
    const path = await propose(fleet);
    const request = { kind: "root", path, keyPath: keyFile(workspace, "root-1"), secrets: workspace.secrets } as const;
    const shown = await signProposal({ ...request, dryRun: true });
    expect(shown).toMatchObject({ keyId: undefined, signatures: 0 });
    expect(shown.lines).toContain(`    - ${old.keyId}`);
    expect(shown.lines).toContain("  root: 2 of 3, the same keys");
    expect(await signProposal(request)).toMatchObject({ lines: shown.lines, signatures: 1 });
    expect(await signProposal(request)).toMatchObject({ signatures: 1 });
  });

  test("is refused with a key that would not count, with a file of another kind, and without what it follows", async () => {
    await using fleet = await createFleet();
    const { workspace } = fleet;
    const path = await propose(fleet);
    const request = { kind: "root", path, keyPath: keyFile(workspace, "root-1"), secrets: workspace.secrets } as const;
    await expect(signProposal({ ...request, keyPath: keyFile(workspace, "targets") })).rejects.toMatchObject({
      code: "key-invalid",
      message: expect.stringContaining("is no root key of"),
    });
    await expect(signProposal({ ...request, kind: "targets" })).rejects.toMatchObject({
      message: expect.stringContaining("Sign it with: outstation root sign"),
    });
    await expect(signProposal({ ...request, beforePath: path })).rejects.toMatchObject({ code: "proposal-invalid" });
    const alone = join(workspace.directory, "image.2.root.json");
    await copyFile(path, alone);
    await expect(signProposal({ ...request, path: alone })).rejects.toMatchObject({
      message: expect.stringContaining("give your own copy: --before"),
    });
    const beforePath = join(imageDirectory(workspace), "1.root.json");
    expect(await signProposal({ ...request, path: alone, beforePath })).toMatchObject({ signatures: 1 });
  });

  test("is not shown against a root before that its own keys have not signed", async () => {
    await using fleet = await createFleet();
    const { workspace } = fleet;
    const path = await propose(fleet);
    await edit(path.replace(".2.", ".1."), (root) => root.signatures.splice(1));
    const request = { kind: "root", path, keyPath: keyFile(workspace, "root-1"), secrets: workspace.secrets } as const;
    await expect(signProposal(request)).rejects.toMatchObject({
      message: expect.stringContaining("is not signed by its own root keys"),
    });
  });

  test.each([
    ["missing", undefined, "There is no file to sign"],
    ["empty", "", "is no signed metadata"],
    ["torn", '{"signed": {"_type": "root"', "is no signed metadata"],
    ["huge", " ".repeat(3_000_000), "a gateway reads at most"],
    ["null", "null", "is neither a root nor targets"],
    ["no metadata", '{"signed": {"_type": "timestamp"}}', "is neither a root nor targets"],
    ["a root without roles", '{"signed": {"_type": "root"}, "signatures": []}', "is no root metadata"],
  ] as const)("says what is wrong with a file that is %s", async (name, content, words) => {
    await using fleet = await createFleet();
    const path = join(fleet.workspace.directory, `${name}.2.root.json`);
    if (content !== undefined) await writeFile(path, content);
    const { secrets } = fleet.workspace;
    const request = { kind: "root", path, keyPath: keyFile(fleet.workspace, "root-1"), secrets } as const;
    await expect(signProposal(request)).rejects.toMatchObject({ message: expect.stringContaining(words) });
  });

  test("is refused for a root that lists one key under two ids, or under an id that is not its own", async () => {
    await using fleet = await createFleet();
    const { workspace } = fleet;
    const path = await propose(fleet);
    const { keyId } = await workspace.loadKey("root-1");
    const other = "ab".repeat(32);
    await edit(path, ({ signed }) => {
      signed.keys[other] = signed.keys[keyId];
      signed.roles["root"]?.keyids.push(other);
    });
    const request = { kind: "root", path, keyPath: keyFile(workspace, "root-1"), secrets: workspace.secrets } as const;
    await expect(signProposal(request)).rejects.toMatchObject({
      code: "root-invalid",
      message: expect.stringContaining(`lists one key twice, as ${keyId} and as ${other}`),
    });
    await edit(path, ({ signed }) => {
      const role = signed.roles["root"];
      if (role !== undefined) role.keyids = role.keyids.filter((id) => id !== keyId);
    });
    await expect(signProposal(request)).rejects.toMatchObject({ code: "root-invalid" });
  });
});

describe("merging a root", () => {
  test("takes signatures from several copies, keeps those that came, and counts each key once", async () => {
    await using fleet = await createFleet();
    const { workspace } = fleet;
    const path = await propose(fleet);
    const [anna, ben] = ["anna", "ben"].map((name) => join(workspace.directory, "pending", `${name}.2.json`));
    if (anna === undefined || ben === undefined) throw new Error("two names give two paths");
    const beforePath = join(imageDirectory(workspace), "1.root.json");
    for (const [copy, name] of [
      [anna, "root-1"],
      [ben, "root-3"],
    ] as const) {
      await copyFile(path, copy);
      const { secrets } = workspace;
      await signProposal({ kind: "root", path: copy, keyPath: keyFile(workspace, name), secrets, beforePath });
    }
    await expect(mergeProposals(workspace, "root", [anna, anna])).rejects.toMatchObject({
      code: "signatures-missing",
      message: expect.stringContaining("has 1 of the 2 signatures"),
    });
    const { signers, version } = await mergeProposals(workspace, "root", [ben]);
    expect({ signers: signers.length, version }).toEqual({ signers: 2, version: 2 });
    await expect(mergeProposals(workspace, "root", [ben])).rejects.toMatchObject({
      message: expect.stringContaining("or it is merged already"),
    });
  });

  test("refuses a root whose keys were swapped after it was signed, and signatures that are over something else", async () => {
    await using fleet = await createFleet();
    await using thief = await createFleet();
    const { workspace } = fleet;
    const path = await propose(fleet);
    const copy = join(workspace.directory, "copy.json");
    await sign(workspace, "root", { path, keys: ["root-1", "root-2"] });
    const signed = await readFile(path, "utf8");
    const foreign = await thief.workspace.loadKey("timestamp");
    await copyFile(path, copy);
    await edit(copy, (root) => {
      const honest = root.signed.roles["timestamp"]?.keyids[0] ?? "";
      const keyval = { public: Buffer.from(foreign.publicKey).toString("hex") };
      delete root.signed.keys[honest];
      root.signed.keys[foreign.keyId] = { keytype: "ed25519", scheme: "ed25519", keyval };
      root.signed.roles["timestamp"] = { ...root.signed.roles["timestamp"], keyids: [foreign.keyId] };
    });
    await expect(mergeProposals(workspace, "root", [copy])).rejects.toMatchObject({
      code: "proposal-invalid",
      message: expect.stringContaining("its content was changed"),
    });
    await expect(mergeProposals(workspace, "root", [path, copy])).rejects.toMatchObject({
      message: expect.stringContaining("are not the same content"),
    });
    await writeFile(copy, signed);
    await edit(copy, ({ signatures: [first, second] }) => {
      if (first !== undefined && second !== undefined) first.sig = second.sig;
    });
    await expect(mergeProposals(workspace, "root", [copy])).rejects.toMatchObject({
      message: expect.stringContaining("is not over this content"),
    });
    await edit(copy, (root) => (root.signatures = [{ keyid: foreign.keyId, sig: root.signatures[1]?.sig ?? "" }]));
    await expect(mergeProposals(workspace, "root", [copy])).rejects.toMatchObject({
      message: expect.stringContaining("whose word does not count here"),
    });
    expect((await loadRoot(imageDirectory(workspace))).content.version).toBe(1);
  });

  test("refuses what was never proposed here, and proposals for the other repository by name only", async () => {
    await using fleet = await createFleet();
    await using other = await createFleet();
    const path = await propose(other);
    await expect(mergeProposals(fleet.workspace, "root", [path])).rejects.toMatchObject({
      message: expect.stringContaining("nothing of that kind was proposed here"),
    });
    const director = await renewRoot(fleet.workspace, "director");
    await completeRoot(fleet, director, ["director-root"]);
    expect((await loadRoot(directorRootDirectory(fleet.workspace))).content.version).toBe(2);
    expect((await loadRoot(imageDirectory(fleet.workspace))).content.version).toBe(1);
  });

  test("is taken up again after it was cut off between the root and what follows from it", async () => {
    await using fleet = await createFleet();
    const gateway = await startGateway(fleet);
    const path = await propose(fleet);
    await sign(fleet.workspace, "root", { path, keys: ["root-1", "root-2"] });
    await mergeProposals(fleet.workspace, "root", [path]);
    expect(await renewAll(fleet.workspace)).toBeUndefined();
    await publishAll(fleet.workspace, fleet.publisher);
    await expectDeployed(gateway, 1);
  });
});

describe("a proposed root", () => {
  test("is changed further by the next change, without the signatures it had", async () => {
    await using fleet = await createFleet();
    const path = await propose(fleet);
    await sign(fleet.workspace, "root", { path, keys: ["root-1", "root-2"] });
    const { proposals } = await rotateKey(fleet.workspace, "snapshot");
    expect(proposals).toEqual([path]);
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ signatures: [], signed: { version: 2 } });
    await completeRoot(fleet, path, ["root-1", "root-2"]);
    const { roles } = (await loadRoot(imageDirectory(fleet.workspace))).content;
    for (const role of ["snapshot", "timestamp"] as const) {
      const old = await fleet.workspace.loadKey(role);
      expect(roles[role].keys.map(({ keyId }) => keyId)).not.toContain(old.keyId);
    }
  });

  test("does not lose a key twice", async () => {
    await using fleet = await createFleet();
    await propose(fleet);
    await expect(rotateKey(fleet.workspace, "timestamp")).rejects.toMatchObject({ code: "proposal-exists" });
    await rm(join(fleet.workspace.directory, "pending"), { recursive: true });
    await expect(rotateKey(fleet.workspace, "timestamp")).resolves.toMatchObject({ made: { name: "timestamp-3" } });
  });

  test("renews both roots for another year, before which a gateway would have refused them", async () => {
    await using fleet = await createFleet();
    const gateway = await startGateway(fleet);
    fleet.time.nowMs += 364 * dayMs;
    const { workspace } = fleet;
    await completeRoot(fleet, await renewRoot(workspace, "image"), ["root-2", "root-3"]);
    await completeRoot(fleet, await renewRoot(workspace, "director"), ["director-root"]);
    fleet.time.nowMs += 5 * dayMs;
    await expectDeployed(gateway, 1);
  });
});
