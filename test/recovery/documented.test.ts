// The recoveries of docs/keys.md, typed as they stand there: every command of every section ends well.
import { copyFile, cp, mkdir, readFile, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startEmbeddedBroker } from "../../demo/parts/broker.ts";
import { runCommand } from "../support/commandLine.ts";
import { createTemporaryDirectory } from "../support/temporaryDirectory.ts";

const page = await readFile(join(import.meta.dirname, "..", "..", "docs", "keys.md"), "utf8");
const blocks = readBlocks(page.slice(page.indexOf("## When a key was stolen")));

/** The commands of each block, with the section it stands in. */
function readBlocks(text: string): readonly (readonly [section: string, commands: readonly string[]])[] {
  return text.split("\n### ").flatMap((section) => {
    const title = section.split("\n", 1)[0] ?? "";
    const found = [...section.matchAll(/```sh\n([^]*?)```/g)].map((match) => match[1] ?? "");
    return found.map((block): readonly [string, readonly string[]] => {
      const lines = block.split("\n").map((line) => line.replace(/#.*/, "").trim());
      return [title, lines.filter(Boolean)];
    });
  });
}

const cleanup = new AsyncDisposableStack();
let made = "";

beforeAll(async () => {
  made = cleanup.use(await createTemporaryDirectory()).path;
  const broker = await startEmbeddedBroker();
  cleanup.defer(() => broker.stop());
  const fleet = join(made, "fleet");
  await mkdir(fleet);
  await writeFile(join(fleet, "boiler.wasm"), new Uint8Array([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0, 1]));
  await writeFile(join(fleet, "d.json"), '{"components": {"boiler": {"release": "boiler@1.0.0"}}}');
  const commands = [
    `init --broker ${broker.url} --dev`,
    "keys create acme --dev",
    "keys create acme-2 --dev",
    "publisher add acme --paths boiler/* --key keys/acme.public.json",
    "release boiler@1.0.0 boiler.wasm --as acme",
    "deploy g-1 d.json --no-wait",
  ];
  for (const command of commands) await expectDone(command.split(" "), fleet);
  await copyFile(join(fleet, "keys", "acme-2.public.json"), join(fleet, "acme-2.public.json"));
  // As the page says: the root keys are on another medium.
  await mkdir(join(made, "usb"));
  for (const name of ["root-1", "root-2", "root-3", "director-root"])
    await rename(join(fleet, "keys", `${name}.pem`), join(made, "usb", `${name}.pem`));
}, 60_000);

afterAll(() => cleanup.disposeAsync());

async function expectDone(args: readonly string[], directory: string): Promise<void> {
  const { code, stderr } = await runCommand("outstation", args, { directory });
  expect({ args, code, stderr }).toMatchObject({ code: 0 });
}

/** Roots are signed on the other medium, where the proposals and new keys are carried; all else happens in the fleet. */
async function expectTyped(command: string, directory: string): Promise<void> {
  const [program, ...words] = command.replaceAll("'", "").split(/ +/);
  expect(program).toBe("outstation");
  const [fleet, usb] = [join(directory, "fleet"), join(directory, "usb")];
  const [noun, verb, file = ""] = words;
  if (noun === "root" && verb === "sign") {
    const carried = await readdir(usb);
    for (const name of await readdir(join(fleet, "pending")))
      if (!carried.includes(name)) await copyFile(join(fleet, "pending", name), join(usb, name));
    await cp(join(fleet, "keys"), join(usb, "keys"), { recursive: true });
    return expectDone(words, usb);
  }
  return expectDone(noun === "root" && verb === "merge" ? [noun, verb, join(usb, file)] : words, fleet);
}

test("there is one for every key", () => {
  expect(blocks.map(([section]) => section)).toEqual([
    "One root key of three",
    "director-root",
    "targets",
    "snapshot, timestamp",
    "director",
    "operator",
    "operator",
    "A publisher's",
  ]);
});

test.each(blocks)("%s: %j", { timeout: 60_000 }, async (_, commands) => {
  await using directory = await createTemporaryDirectory();
  await cp(made, directory.path, { recursive: true });
  for (const command of commands) await expectTyped(command, directory.path);
});
