// Every state that a power cut may leave of an install, an update and a rollback: the gateway comes back whole from each.
import { describe, expect, it } from "vitest";
import { enumeratePowerCuts } from "../support/powerCuts.ts";
import { createUpdateRounds } from "../support/updateRounds.ts";

describe("a power cut at any point of an install, an update and a rollback", () => {
  it(
    "leaves a gateway that runs a whole set, forgets no floor, and tells each outcome once",
    { timeout: 120_000 },
    async () => {
      const { steps, cuts, states, violations } = await enumeratePowerCuts(await createUpdateRounds());
      console.log(`${steps} disk operations, ${cuts} cuts, ${states} different states`);
      expect(violations).toEqual([]);
      expect(states).toBeGreaterThan(70);
    },
  );
});
