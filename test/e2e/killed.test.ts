// kill -9 of the agent at random moments: what comes back runs a committed set, and readings are whole.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { boilerDeployment } from "../../demo/parts/deployment.ts";
import { withDeviation } from "../../demo/parts/edits.ts";
import { createWorld, gateway, type World } from "../../demo/parts/world.ts";
import { createSampling } from "../support/sampling.ts";

const kills = 10;
const stream = "boiler/temperature";

async function killAfter(world: World, ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  const { daemon } = world;
  daemon.kill("SIGKILL");
  await daemon.exited;
}

describe("an agent that is killed", () => {
  const { seed, random } = createSampling();

  it(
    `comes back to a committed set after each of ${kills} kills in the middle of updates (seed ${seed})`,
    {
      timeout: 240_000,
    },
    async () => {
      const world = await createWorld();
      const { observer } = world;
      try {
        await world.release("1.0.0");
        await world.release("1.1.0", withDeviation);
        const file = join(world.directory, "pump-7.json");
        await writeFile(file, JSON.stringify(boilerDeployment(world.udpPort)));
        await world.outstation(["deploy", gateway, file]);
        for (let round = 1; round <= kills; round += 1) {
          const version = round % 2 === 0 ? "1.0.0" : "1.1.0";
          await world.outstation(["deploy", gateway, "--release", `boiler=boiler@${version}`, "--no-wait"]);
          await killAfter(world, random() * 2500);
          world.startGateway();
          const isBack = (): boolean =>
            observer.reported?.phase === "committed" &&
            observer.reported.deployment === round + 1 &&
            observer.reported.components["boiler"]?.status === "running";
          await observer.until(`round ${round}: deployment ${round + 1} committed`, isBack, 60_000);
          const before = observer.tally(stream).contiguous;
          await observer.until("readings after the kill", () => observer.tally(stream).contiguous > before);
        }
        const { lost, unlabelledDuplicates } = observer.tally(stream);
        expect({ lost, unlabelledDuplicates }).toEqual({ lost: 0, unlabelledDuplicates: 0 });
      } catch (error) {
        const log = await readFile(join(world.directory, "outstationd.log"), "utf8");
        throw new Error(`seed ${seed}: ${(error as Error).message}\n${log.split("\n").slice(-30).join("\n")}`, {
          cause: error,
        });
      } finally {
        await world.stop(false);
      }
    },
  );
});
