// The keys of a directory: made, named, found by id, closed under passphrases of their own, and never confused.
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { rotateKey } from "../../../src/operator/ceremony/changeKeys.ts";
import { findListed, listKeyRoles } from "../../../src/operator/ceremony/keyRoles.ts";
import { encryptKey } from "../../../src/operator/keys/key.ts";
import { findKey, listKeys, openKey } from "../../../src/operator/keys/keyring.ts";
import type { Secrets } from "../../../src/operator/keys/keyring.ts";
import { makeKey, nextKeyName } from "../../../src/operator/keys/makeKey.ts";
import { listPublicNames, readPublicKey } from "../../../src/operator/keys/publicKeyFile.ts";
import { createRepositories } from "../../../src/operator/repository/create.ts";
import { addRelease } from "../../../src/operator/repository/addRelease.ts";
import { initWorkspace } from "../../../src/operator/workspace.ts";
import { createFleet, createWasm } from "../../support/fleet.ts";
import { createTemporaryDirectory } from "../../support/temporaryDirectory.ts";

const none: Secrets = { passphraseOf: () => undefined };
const opened = (passphrases: Readonly<Record<string, string>>): Secrets => ({
  passphraseOf: (name) => passphrases[name],
});

describe("a made key", () => {
  test("has its public half beside it, under the same id", async () => {
    await using directory = await createTemporaryDirectory();
    const made = await makeKey(directory.path, { name: "acme", secrets: opened({ acme: "secret" }) });
    expect(await readPublicKey(made.publicPath)).toEqual({ keyId: made.keyId, publicKey: made.publicKey });
    expect(await readPublicKey(made.path)).toEqual({ keyId: made.keyId, publicKey: made.publicKey });
    expect(await listPublicNames(directory.path)).toEqual(new Map([[made.keyId, "acme"]]));
    expect(await readFile(made.publicPath, "utf8")).not.toContain("PRIVATE");
  });

  test("is not made in the clear by accident, under a name that is taken, or that is no name", async () => {
    await using directory = await createTemporaryDirectory();
    const make = (name: string, clear: boolean): Promise<unknown> =>
      makeKey(directory.path, { name, secrets: none, clear });
    await expect(make("acme", false)).rejects.toMatchObject({ code: "key-locked" });
    await make("acme", true);
    await expect(make("acme", true)).rejects.toMatchObject({ code: "key-exists" });
    for (const name of ["../acme", "", "Acme", "a b", "a".repeat(65)])
      await expect(make(name, true)).rejects.toMatchObject({ code: "key-invalid" });
  });

  test("gets the next free name", async () => {
    await using directory = await createTemporaryDirectory();
    for (const name of ["timestamp", "root-1", "root-2", "root-3", "director", "director-root"])
      await makeKey(directory.path, { name, secrets: none, clear: true });
    const next = (name: string): Promise<string> => nextKeyName(directory.path, name);
    expect(await next("timestamp")).toBe("timestamp-2");
    expect(await next("root-1")).toBe("root-4");
    expect(await next("director")).toBe("director-2");
    expect(await next("director-root")).toBe("director-root-2");
  });
});

describe("a public key file", () => {
  test.each([
    ["empty", ""],
    ["torn", '{"keytype": '],
    ["of another type", '{"keytype": "rsa", "scheme": "ed25519", "keyval": {"public": ""}}'],
    ["short", '{"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": "00"}}'],
    [
      "huge",
      `{"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": "${"00".repeat(32)}"}}${" ".repeat(4096)}`,
    ],
  ])("that is %s is named, with the command that makes one", async (_, text) => {
    await using directory = await createTemporaryDirectory();
    const path = join(directory.path, "acme.public.json");
    await writeFile(path, text);
    await expect(readPublicKey(path)).rejects.toMatchObject({
      code: "key-unreadable",
      message: expect.stringMatching(/acme\.public\.json.*outstation keys create/),
    });
  });
});

describe("finding keys", () => {
  test("opens only the key that is asked for, each with its own passphrase", async () => {
    await using directory = await createTemporaryDirectory();
    const first = await makeKey(directory.path, { name: "one", secrets: opened({ one: "first" }) });
    const second = await makeKey(directory.path, { name: "two", secrets: opened({ two: "second" }) });
    expect((await findKey(directory.path, second.keyId, opened({ two: "second" })))?.keyId).toBe(second.keyId);
    await expect(findKey(directory.path, first.keyId, opened({ two: "second" }))).rejects.toMatchObject({
      code: "key-locked",
    });
    expect(await findKey(directory.path, "00".repeat(32), none)).toBeUndefined();
    await encryptKey(first.path, { passphrase: "first", newPassphrase: "third" });
    await expect(openKey(first.path, opened({ one: "first" }))).rejects.toMatchObject({ code: "key-locked" });
    expect((await openKey(first.path, opened({ one: "third" }))).keyId).toBe(first.keyId);
    await expect(encryptKey(first.path, { passphrase: "first", newPassphrase: "x" })).rejects.toMatchObject({
      code: "key-locked",
    });
  });

  test("still finds keys of files made before they said their public key", async () => {
    await using directory = await createTemporaryDirectory();
    const { keyId, path } = await makeKey(directory.path, { name: "old", secrets: none, clear: true });
    const text = await readFile(path, "utf8");
    await rm(path);
    await writeFile(path, text.slice(text.indexOf("-----BEGIN")), { mode: 0o600 });
    expect((await listKeys(directory.path))[0]).toMatchObject({ name: "old", publicKey: undefined });
    expect((await findKey(directory.path, keyId, none))?.keyId).toBe(keyId);
  });

  test("refuses a key whose head names another", async () => {
    await using directory = await createTemporaryDirectory();
    const good = await makeKey(directory.path, { name: "good", secrets: none, clear: true });
    const other = await makeKey(directory.path, { name: "other", secrets: none, clear: true });
    const [head = ""] = (await readFile(good.path, "utf8")).split("\n");
    const [, ...body] = (await readFile(other.path, "utf8")).split("\n");
    await writeFile(other.path, [head, ...body].join("\n"), { mode: 0o600 });
    await expect(openKey(other.path, none)).rejects.toMatchObject({
      code: "key-unreadable",
      message: expect.stringContaining("names another public key than it holds"),
    });
  });
});

describe("the roles of keys", () => {
  test("are those of the newest roots, by name also when the key is elsewhere", async () => {
    await using fleet = await createFleet();
    const { directory } = fleet.workspace;
    await rename(join(directory, "keys", "root-1.pem"), join(directory, "root-1.pem"));
    const listed = await listKeyRoles(fleet.workspace);
    const root = { repository: "image", role: "root", threshold: 2, keys: 3, expiresMs: expect.any(Number) };
    expect(listed.find(({ name }) => name === "root-1")).toMatchObject({ place: "elsewhere", roles: [root] });
    expect(listed.find(({ name }) => name === "root-2")).toMatchObject({ place: "clear", roles: [root] });
    const director = listed.find(({ name }) => name === "director");
    expect(director?.roles.map(({ role }) => role)).toEqual(["targets", "snapshot", "timestamp"]);
    expect(listed.find(({ name }) => name === "operator")?.roles).toMatchObject([{ repository: "operators" }]);
    expect(listed).toHaveLength(9);
  });

  test("are found by name or by the beginning of an id, and never guessed", async () => {
    await using fleet = await createFleet();
    const { keyId } = await fleet.workspace.loadKey("targets");
    for (const text of ["targets", keyId, keyId.slice(0, 8)])
      expect((await findListed(fleet.workspace, text)).keyId).toBe(keyId);
    for (const text of [keyId.slice(0, 7), "target", "", "../targets"])
      await expect(findListed(fleet.workspace, text)).rejects.toMatchObject({ code: "key-missing" });
  });

  test("are not taken from a key that has none", async () => {
    await using fleet = await createFleet();
    const { directory, secrets } = fleet.workspace;
    await makeKey(join(directory, "keys"), { name: "spare", secrets, clear: true });
    await expect(rotateKey(fleet.workspace, "spare")).rejects.toMatchObject({
      code: "key-invalid",
      message: expect.stringContaining("holds no role"),
    });
  });

  test("say which keys are missing when too few are here to sign", async () => {
    await using directory = await createTemporaryDirectory();
    const options = { broker: "mqtt://broker.example", root: "outstation/v1", clock: systemClock, dev: true };
    const workspace = await initWorkspace(directory.path, options);
    await createRepositories(workspace);
    await rm(join(directory.path, "keys", "snapshot.pem"));
    const added = addRelease(workspace, { component: "boiler", version: "1.0.0", wasmBytes: createWasm("x") });
    await expect(added).rejects.toMatchObject({
      code: "key-missing",
      message: expect.stringContaining("0 of the 1 keys that must sign the image's snapshot are here"),
    });
  });
});
