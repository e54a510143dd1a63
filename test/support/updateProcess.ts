// A gateway's life as a process of its own on the real disk, to be killed and failed: install, update, rollback.
import { appendFileSync } from "node:fs";
import { openNodeDisk } from "../../src/store/nodeDisk.ts";
import { openRoundRig } from "./checkBoot.ts";
import { loadRounds } from "./roundsFile.ts";

// The world is a file of lines outside the state directory: what is in it was seen, whatever becomes of this process.
const [roundsPath = "", stateDirectory = "", worldPath = ""] = process.argv.slice(2);
const see = (line: object): void => appendFileSync(worldPath, `${JSON.stringify(line)}\n`);

const rounds = await loadRounds(roundsPath);
try {
  for (let round = 1; round <= rounds.brokers.length; round += 1) {
    see({ round });
    const disk = await openNodeDisk(stateDirectory);
    const rig = await openRoundRig(rounds, {
      disk,
      stateDirectory,
      round,
      bootId: `boot-${round}`,
      publish: async (document) => see({ published: document }),
      onVerified: (verified) => see({ verified }),
    });
    await rig.update();
  }
  see({ done: true });
} catch (thrown) {
  console.error(thrown instanceof Error ? thrown.message : thrown);
  process.exitCode = 1;
}
