// The earliest that it can be now, read from a gateway's disk without touching it.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readClockFloor } from "../../../src/agent/clockFloor.ts";
import { saveConfig } from "../../../src/agent/config.ts";
import { silentLog } from "../../../src/base/log.ts";
import { signTime } from "../../../src/operator/signTime.ts";
import { agentBuiltMs } from "../../../src/protocol/version.ts";
import { openNodeDisk } from "../../../src/store/nodeDisk.ts";
import { attestTime } from "../../../src/trust/attestTime.ts";
import { createFleet, startMs } from "../../support/fleet.ts";
import { createTemporaryDirectory } from "../../support/temporaryDirectory.ts";

test("is when the agent was built, until the director attested a later time", async () => {
  await using fleet = await createFleet();
  await using state = await createTemporaryDirectory();
  saveConfig(state.path, { gateway: "plant-7", factory: fleet.factory, board: "" });
  expect(await readClockFloor(state.path)).toBe(agentBuiltMs / 1000);
  expect(await readdir(state.path)).toEqual(["config.json"]);
  const disk = await openNodeDisk(state.path);
  const directory = join(state.path, "trust");
  await disk.makeDirectory(directory);
  const factoryRoot = new TextEncoder().encode(fleet.factory.directorRoot);
  const director = { disk, log: silentLog, factoryRoot, directory: join(directory, "director") };
  const question = { gateway: "plant-7", nonce: "nonce-0123456789" };
  const answer = await signTime(question, startMs + 999, await fleet.workspace.loadKey("director"));
  await attestTime({ disk, directory, director }, question, answer);
  expect(await readClockFloor(state.path)).toBe(startMs / 1000);
});

test("is not known on a gateway that is not set up", async () => {
  await using state = await createTemporaryDirectory();
  await expect(readClockFloor(state.path)).rejects.toMatchObject({ code: "not-set-up" });
});
