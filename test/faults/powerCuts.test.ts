// Every state that power cuts and kills may leave of an install, an update and a rollback: the gateway comes back whole from each.
import { beforeAll, describe, expect, it } from "vitest";
import { neverSyncs, renamesBeforeItSyncs, trustsWhatAKillLeft } from "../support/brokenDisks.ts";
import { enumeratePowerCuts } from "../support/powerCuts.ts";
import type { UpdateRounds } from "../support/roundsFile.ts";
import { createUpdateRounds } from "../support/updateRounds.ts";

let rounds: UpdateRounds;

beforeAll(async () => {
  rounds = await createUpdateRounds();
});

describe("a gateway whose power is cut at any point of an install, an update and a rollback", () => {
  it(
    "runs a whole set, forgets no floor, and tells each outcome once, also when it is killed or cut again",
    { timeout: 600_000 },
    async () => {
      const { violations, ...counts } = await enumeratePowerCuts({
        rounds,
        spoil: (calls) => calls,
        again: () => true,
      });
      console.log("power cuts:", JSON.stringify(counts));
      expect(violations).toEqual([]);
      expect(counts.states).toBeGreaterThan(400);
    },
  );
});

/** Each leaves one thing out of the real algorithm, or does it in another order. */
describe("the model of a power cut", () => {
  it.each([
    ["never syncs a file", neverSyncs(/\.tmp$/), /Both copies of floors.json/],
    ["never syncs a component", neverSyncs(/components.*\.tmp$/), /it settled at deployment 0/],
    ["never syncs the directory of components", neverSyncs(/components$/), /it settled at deployment 0/],
    ["never syncs the directory of the record", neverSyncs(/deployments$/), /after another was told/],
    ["never syncs the directory of the floors", neverSyncs(/trust$/), /was accepted again/],
    ["syncs a file only after its rename", renamesBeforeItSyncs, /cut before "fsync/],
  ])("finds a disk that %s", { timeout: 60_000 }, async (_, spoil, expected) => {
    const { violations } = await enumeratePowerCuts({ rounds, spoil, again: () => false, mostPerCut: 8 });
    expect(violations.join("\n")).toMatch(expected);
  });

  it("finds a disk that trusts what a killed process left", { timeout: 60_000 }, async () => {
    const again = (cause: string): boolean => cause.startsWith('killed before "fsync /state/components"');
    const { violations } = await enumeratePowerCuts({ rounds, spoil: trustsWhatAKillLeft, again, mostPerCut: 8 });
    expect(violations.join("\n")).toMatch(/killed before "fsync \/state\/components", cut/);
  });
});
