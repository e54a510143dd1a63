// The ceremonies as a person types them, each command a process: what they print, for people and as JSON.
import { copyFile, mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startEmbeddedBroker } from "../../../demo/parts/broker.ts";
import { runCommand, type Outcome } from "../../support/commandLine.ts";
import { createTemporaryDirectory } from "../../support/temporaryDirectory.ts";

const cleanup = new AsyncDisposableStack();
let directory = "";
let fleet = "";

const outstation = (args: string, environment: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
  runCommand("outstation", args.split(" "), { directory: fleet, environment });

async function expectDone(args: string, environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const { code, stdout, stderr } = await outstation(args, environment);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

beforeAll(async () => {
  directory = cleanup.use(await createTemporaryDirectory()).path;
  fleet = join(directory, "fleet");
  await mkdir(fleet);
  await mkdir(join(directory, "usb"));
  const broker = await startEmbeddedBroker();
  cleanup.defer(() => broker.stop());
  await writeFile(join(fleet, "boiler.wasm"), new Uint8Array([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0, 1]));
  await expectDone(`init --broker ${broker.url} --dev`);
}, 60_000);

afterAll(() => cleanup.disposeAsync());

it("rotates a key with the root keys on another medium", async () => {
  for (const name of ["root-1", "root-2", "root-3"])
    await rename(join(fleet, "keys", `${name}.pem`), join(directory, "usb", `${name}.pem`));
  expect(await expectDone("keys list")).toMatch(/^root-1 +[0-9a-f]{16} +elsewhere +image root 2 of 3 until 20/m);
  const rotated = await expectDone("keys rotate timestamp");
  expect(rotated).toContain("outstation root sign");
  for (const file of ["image.1.root.json", "image.2.root.json"])
    await copyFile(join(fleet, "pending", file), join(directory, "usb", file));
  const signRoot = (key: string): Promise<Outcome> =>
    runCommand("outstation", ["root", "sign", "image.2.root.json", "--key", key], {
      directory: join(directory, "usb"),
    });
  const signed = await signRoot("root-1.pem");
  expect(signed.stdout).toMatch(/ {2}timestamp: 1 of 1\n {4}- [0-9a-f]{64}\n {4}\+ [0-9a-f]{64}\n/);
  expect(signed.stdout).toContain("image.2.root.json has 1 signature\n");
  expect(await outstation("root merge ../usb/image.2.root.json")).toMatchObject({
    code: 75,
    stderr: expect.stringContaining("has 1 of the 2 signatures"),
  });
  await signRoot("root-3.pem");
  expect(await expectDone("root merge ../usb/image.2.root.json")).toContain("The image root version 2 takes effect");
  const listed = await expectDone("keys list --json");
  const keys = listed
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { name: string; roles: unknown[] });
  expect(keys.find(({ name }) => name === "timestamp")?.roles).toEqual([]);
  expect(keys.find(({ name }) => name === "timestamp-2")?.roles).toMatchObject([
    { repository: "image", role: "timestamp" },
  ]);
}, 60_000);

it("releases with the targets key on another medium", async () => {
  await rename(join(fleet, "keys", "targets.pem"), join(directory, "usb", "targets.pem"));
  const waiting = await outstation("release boiler@1.0.0 boiler.wasm --json");
  expect(waiting.code).toBe(75);
  const { pending } = JSON.parse(waiting.stdout) as { pending: string };
  const signed = await expectDone(`targets sign ${pending} --key ../usb/targets.pem`);
  expect(signed).toContain("+ boiler/1.0.0.wasm  9 bytes  sha256 ");
  expect(await expectDone(`targets merge ${pending}`)).toContain("The targets version 2 takes effect");
  expect(await expectDone("release boiler@1.0.0 boiler.wasm")).toContain("boiler@1.0.0 is released");
  await rename(join(directory, "usb", "targets.pem"), join(fleet, "keys", "targets.pem"));
}, 60_000);

it("lets a publisher release", async () => {
  expect(await expectDone("publisher list")).toBe("");
  expect(await expectDone("keys create acme --dev")).toContain("acme.public.json");
  await expectDone("publisher add acme --paths pump-*/* --key keys/acme.public.json");
  await expectDone("release pump-7@1.0.0 boiler.wasm --as acme");
  expect(await expectDone("publisher list")).toMatch(/^acme +pump-\*\/\* +1 of 1 +1 release +[0-9a-f]{16}\n$/);
  expect(await expectDone("targets renew --as acme")).toContain("The metadata of acme is signed again");
  await expectDone("publisher remove acme");
  expect(await expectDone("publisher list")).toBe("");
}, 60_000);

it("gives a key a passphrase of its own", async () => {
  await writeFile(join(fleet, "new.txt"), "another one\n");
  await expectDone("keys encrypt snapshot --new-passphrase-file new.txt");
  expect(await outstation("release boiler@1.1.0 boiler.wasm")).toMatchObject({
    code: 78,
    stderr: expect.stringContaining("is encrypted"),
  });
  await expectDone("release boiler@1.1.0 boiler.wasm", { OUTSTATION_PASSPHRASE_SNAPSHOT: "another one" });
}, 60_000);

it("replaces and revokes an operator at once", async () => {
  expect(await expectDone("keys rotate operator")).toContain("The list of operators is changed");
  expect(await expectDone("keys revoke operator-2")).toContain("is to lose every role");
  expect(await expectDone("keys list")).not.toContain("commands");
}, 60_000);
