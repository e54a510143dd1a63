// Keys in a PKCS#11 token sign what keys in files sign, and every way in which a token can say no has words.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verifySignature } from "../../../src/operator/keys/key.ts";
import { createTokenKey, loadTokenKey, parseTokenKey } from "../../../src/operator/keys/tokenKey.ts";
import { describeNeeding } from "../../support/needs.ts";
import { createToken, pin, softHsmMissing, softHsmModule as module } from "../../support/softHsm.ts";
import { createTemporaryDirectory } from "../../support/temporaryDirectory.ts";

describeNeeding(softHsmMissing, "a key in a token", () => {
  const cleanup = new AsyncDisposableStack();
  let directory = "";
  const reference = { module, token: "outstation", label: "targets" };
  const pathOf = (name: string): string => join(directory, `${name}.pkcs11.json`);

  beforeAll(async () => {
    directory = cleanup.use(await createTemporaryDirectory()).path;
    await createToken(directory, "outstation");
    await createTokenKey(pathOf("targets"), reference, pin);
  });
  afterAll(() => cleanup.disposeAsync());

  // EdDSA is signed in one part: metadata of any size must go through whole.
  test.each([1, 1024, 1025, 200_000])("signs %d bytes", async (length) => {
    const key = await loadTokenKey(pathOf("targets"), pin);
    const message = new Uint8Array(length).fill(7);
    expect(verifySignature(key, message, await key.sign(message))).toBe(true);
  });

  test("is referred to by a file without secrets, and by any number of them", async () => {
    const text = await readFile(pathOf("targets"), "utf8");
    const again = await createTokenKey(pathOf("again"), reference, pin);
    expect(JSON.parse(text)).toEqual({ ...reference, publicKey: Buffer.from(again.publicKey).toString("hex") });
    expect(text).not.toContain(pin);
    await expect(createTokenKey(pathOf("again"), reference, pin)).rejects.toMatchObject({ code: "key-exists" });
  });

  test.each([
    ["no PIN", {}, undefined, "token-locked", "set OUTSTATION_PIN or give --pin-file"],
    ["a wrong PIN", {}, "999999", "token-locked", "the PIN is wrong"],
    ["a token that is not there", { token: "other" }, pin, "token-failed", 'There is no token "other"'],
    ["a module that is not there", { module: "/none.so" }, pin, "token-failed", "/none.so cannot be loaded"],
    ["a module that is none", { module: import.meta.filename }, pin, "token-failed", "cannot be loaded"],
    ["a key that is not there", { label: "none" }, pin, "token-failed", 'has no private key "none"'],
    ["a key that is another's", { label: "second" }, pin, "token-failed", "is not the one that"],
  ] as const)("says so with %s", async (...[name, changes, secret, code, words]) => {
    const path = pathOf(name.replaceAll(" ", "-"));
    await createTokenKey(pathOf(`second-${name.replaceAll(" ", "-")}`), { ...reference, label: "second" }, pin);
    const document = JSON.parse(await readFile(pathOf("targets"), "utf8")) as object;
    await writeFile(path, JSON.stringify({ ...document, ...changes }));
    const signed = loadTokenKey(path, secret).then((key) => key.sign(new Uint8Array(3)));
    await expect(signed).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
  });

  test.each([
    ["torn", '{"module": '],
    ["empty", ""],
    ["of an unknown key", '{"pin": "1"}'],
    ["huge", JSON.stringify({ ...reference, publicKey: "00".repeat(32) }).padEnd(5000)],
    ["with a relative module", JSON.stringify({ ...reference, module: "x.so", publicKey: "00".repeat(32) })],
    ["with a short key", JSON.stringify({ ...reference, publicKey: "00" })],
  ])("is not taken from a reference that is %s", (_, text) => {
    expect(() => parseTokenKey(text, "targets.pkcs11.json")).toThrow("targets.pkcs11.json");
  });
});
