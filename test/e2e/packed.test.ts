// The package as it is shipped, installed somewhere else, does everything the demo shows: on mosquitto and on aedes.
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { programsIn, type Programs } from "../../demo/parts/processes.ts";
import { createWorld } from "../../demo/parts/world.ts";
import { steps } from "../../demo/steps.ts";
import { startEmbeddedBroker, type Broker } from "../../demo/parts/broker.ts";
import { mosquittoMissing, startMosquitto } from "../support/brokers.ts";

const repository = join(import.meta.dirname, "..", "..");
const runProgram = promisify(execFile);
let elsewhere = "";
let programs: Programs | undefined;

beforeAll(async () => {
  elsewhere = await mkdtemp(join(tmpdir(), "outstation-packed-"));
  const { stdout } = await runProgram("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", elsewhere], {
    cwd: repository,
  });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  // As a gateway's image would: binaryen (94 MB) serves options that the agent never uses.
  const overrides = { binaryen: "npm:empty-npm-package@1.0.0" };
  await writeFile(join(elsewhere, "package.json"), JSON.stringify({ private: true, overrides }));
  const args = ["install", "--omit=dev", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", filename];
  await runProgram("npm", args, { cwd: elsewhere });
  programs = programsIn(join(elsewhere, "node_modules", "outstation"));
}, 300_000);

afterAll(() => rm(elsewhere, { recursive: true, force: true }));

const missing = mosquittoMissing();
const brokers: readonly { name: string; missing: string | undefined; start: () => Promise<Broker> }[] = [
  { name: "mosquitto", missing, start: startMosquitto },
  { name: "aedes", missing: undefined, start: startEmbeddedBroker },
];

describe.each(brokers)("the packed package on $name", ({ missing, start }) => {
  it("does every step of the demo as expected", { timeout: 180_000 }, async (context) => {
    if (missing !== undefined) return context.skip(missing);
    if (programs === undefined) throw new Error("the package is not installed");
    const world = await createWorld({ programs, startBroker: start });
    try {
      const done: string[] = [];
      for (const { title, run } of steps) {
        await run(world, {});
        done.push(title);
      }
      expect(done).toEqual(steps.map(({ title }) => title));
    } finally {
      await world.stop(false);
    }
  });
});
