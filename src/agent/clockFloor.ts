// The time before which it cannot be: what the director attested last, kept on disk, or when this agent was built.
import { join } from "node:path";
import { silentLog } from "../base/log.ts";
import { agentBuiltMs } from "../protocol/version.ts";
import { readOnlyDisk } from "../store/nodeDisk.ts";
import { attestedTime } from "../trust/attestTime.ts";
import { loadConfig } from "./config.ts";

/** Seconds since 1970, rounded down. Only looks, also while an agent runs there. ConfigError when it is not set up. */
export async function readClockFloor(stateDirectory: string): Promise<number> {
  const { factory } = loadConfig(stateDirectory);
  const directory = join(stateDirectory, "trust");
  const factoryRoot = new TextEncoder().encode(factory.directorRoot);
  const director = { disk: readOnlyDisk, log: silentLog, factoryRoot, directory: join(directory, "director") };
  const attestedMs = await attestedTime({ disk: readOnlyDisk, directory, director });
  return Math.floor(Math.max(attestedMs, agentBuiltMs) / 1000);
}
