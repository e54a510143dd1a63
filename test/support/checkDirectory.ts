// The check of a boot over a directory of the real file system, each time over the same copy of it.
import { cp, rm } from "node:fs/promises";
import { openNodeDisk } from "../../src/store/nodeDisk.ts";
import { checkBoot, type World } from "./checkBoot.ts";
import type { UpdateRounds } from "./roundsFile.ts";
import { runningAt } from "./updateRounds.ts";

export async function checkDirectory(
  rounds: UpdateRounds,
  stateDirectory: string,
  world: World,
): Promise<readonly string[]> {
  const kept = `${stateDirectory}.kept`;
  await cp(stateDirectory, kept, { recursive: true });
  const openDisk = async (): ReturnType<typeof openNodeDisk> => {
    await rm(stateDirectory, { recursive: true });
    await cp(kept, stateDirectory, { recursive: true });
    return openNodeDisk(stateDirectory);
  };
  return checkBoot({ rounds, world, bootId: "boot-again", stateDirectory, openDisk, runningAt }).catch(
    (thrown: unknown) => [String(thrown)],
  );
}
