// Keys are private on disk, open only with their passphrase, and carry the id that metadata knows them by.
import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createKey, keyIdOf, loadKey, verifySignature } from "../../../src/operator/keys/key.ts";
import { createTemporaryDirectory } from "../../support/temporaryDirectory.ts";

describe("keys", () => {
  test("are written with mode 0600, encrypted, and open with their passphrase", async () => {
    await using directory = await createTemporaryDirectory();
    const path = join(directory.path, "keys", "targets.pem");
    const made = await createKey(path, "correct horse");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, "utf8")).toMatch(
      /^outstation-salt: [0-9a-f]{32}\noutstation-public: [0-9a-f]{64}\n-----BEGIN ENCRYPTED PRIVATE KEY-----/,
    );
    const loaded = await loadKey(path, "correct horse");
    expect(loaded.keyId).toBe(made.keyId);
    const message = new TextEncoder().encode("sign me");
    expect(verifySignature(made, message, await loaded.sign(message))).toBe(true);
    expect(verifySignature(made, new TextEncoder().encode("sign me not"), await loaded.sign(message))).toBe(false);
  });

  test("are private from the first byte, whatever a crash left lying there", async () => {
    await using directory = await createTemporaryDirectory();
    const path = join(directory.path, "targets.pem");
    await writeFile(`${path}.${process.pid}.tmp`, "left over", { mode: 0o644 });
    await createKey(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test("stay closed to a wrong passphrase, and to none", async () => {
    await using directory = await createTemporaryDirectory();
    const path = join(directory.path, "targets.pem");
    await createKey(path, "correct horse");
    await expect(loadKey(path, "wrong horse")).rejects.toMatchObject({ code: "key-locked" });
    await expect(loadKey(path)).rejects.toMatchObject({ code: "key-locked" });
  });

  test("are refused when others can read them, with the command that repairs it", async () => {
    await using directory = await createTemporaryDirectory();
    const path = join(directory.path, "targets.pem");
    await createKey(path);
    for (const mode of [0o640, 0o604]) {
      await chmod(path, mode);
      await expect(loadKey(path)).rejects.toMatchObject({
        code: "file-exposed",
        message: expect.stringContaining(`chmod 600 ${path}`),
      });
    }
  });

  test("are never replaced", async () => {
    await using directory = await createTemporaryDirectory();
    const path = join(directory.path, "targets.pem");
    const { keyId } = await createKey(path);
    await expect(createKey(path)).rejects.toMatchObject({ code: "key-exists" });
    expect((await loadKey(path)).keyId).toBe(keyId);
  });

  test("that are no keys are named with their path", async () => {
    await using directory = await createTemporaryDirectory();
    const path = join(directory.path, "targets.pem");
    await writeFile(path, "not a key", { mode: 0o600 });
    await expect(loadKey(path)).rejects.toMatchObject({
      code: "key-unreadable",
      message: expect.stringContaining(path),
    });
    await expect(loadKey(`${path}x`)).rejects.toMatchObject({ code: "file-missing" });
  });

  test("have the id of their canonical JSON", () => {
    // Of 32 zero bytes, computed with @tufjs/canonical-json.
    expect(keyIdOf(new Uint8Array(32))).toBe("7f7373360bc914a5d4a7bd87711615178beb6cf52494fcc49082ec65ba62908c");
  });
});
