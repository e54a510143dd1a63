// A workspace is made once, needs a passphrase unless it is for trying things, and opens again.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { createRepositories } from "../../../src/operator/repository/create.ts";
import { initWorkspace, openWorkspace } from "../../../src/operator/workspace.ts";
import { parseDocument } from "../../../src/protocol/document.ts";
import { factorySchema } from "../../../src/protocol/factory.ts";
import { createTemporaryDirectory } from "../../support/temporaryDirectory.ts";

const options = { broker: "mqtt://broker.example", root: "outstation/v1", clock: systemClock };

describe("workspace", () => {
  test("holds three root keys of which two must sign, and one key for each other role", async () => {
    await using directory = await createTemporaryDirectory();
    const { settings } = await initWorkspace(directory.path, { ...options, dev: true });
    expect(settings).toMatchObject({ rootKeys: 3, rootThreshold: 2, broker: options.broker, root: options.root });
    const files = await readdir(join(directory.path, "keys"));
    expect(files.filter((name) => name.endsWith(".pem"))).toEqual(
      ["director-root", "director", "operator", "root-1", "root-2", "root-3", "snapshot", "targets", "timestamp"].map(
        (name) => `${name}.pem`,
      ),
    );
  });

  test("opens again and signs with the passphrase", async () => {
    await using directory = await createTemporaryDirectory();
    const made = await initWorkspace(directory.path, { ...options, passphrase: "correct horse" });
    const opened = await openWorkspace(directory.path, { clock: systemClock, passphrase: "correct horse" });
    expect((await opened.loadKey("targets")).keyId).toBe((await made.loadKey("targets")).keyId);
    const locked = await openWorkspace(directory.path, { clock: systemClock });
    await expect(locked.loadKey("targets")).rejects.toMatchObject({ code: "key-locked" });
  });

  test("refuses to be made twice, without a passphrase, or with a threshold that cannot be met", async () => {
    await using directory = await createTemporaryDirectory();
    const thresholds = { root: { keys: 2, threshold: 3 } };
    await expect(initWorkspace(directory.path, options)).rejects.toMatchObject({ code: "workspace-invalid" });
    await expect(initWorkspace(directory.path, { ...options, dev: true, thresholds })).rejects.toMatchObject({
      code: "workspace-invalid",
    });
    await initWorkspace(directory.path, { ...options, dev: true });
    await expect(initWorkspace(directory.path, { ...options, dev: true })).rejects.toMatchObject({
      code: "workspace-exists",
    });
  });

  test("says what is wrong with a directory that is none", async () => {
    await using directory = await createTemporaryDirectory();
    const open = (): Promise<unknown> => openWorkspace(directory.path, { clock: systemClock });
    await expect(open()).rejects.toMatchObject({ code: "workspace-missing" });
    await writeFile(join(directory.path, "outstation.json"), '{ "format": 2 }');
    await expect(open()).rejects.toMatchObject({ code: "workspace-invalid" });
  });

  test("provisions gateways with a factory document that holds both roots", async () => {
    await using directory = await createTemporaryDirectory();
    const factory = await createRepositories(await initWorkspace(directory.path, { ...options, dev: true }));
    const text = await readFile(join(directory.path, "factory.json"), "utf8");
    expect(parseDocument(factorySchema, text, { what: "factory" })).toEqual(factory);
    expect(JSON.parse(factory.imageRoot)).toMatchObject({
      signed: { _type: "root", roles: { root: { threshold: 2 } } },
    });
  });
});
