// A real process on a real disk, killed or failed at each system call on its state: the next one comes back whole.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { checkDirectory } from "../support/checkDirectory.ts";
import { describeNeeding } from "../support/needs.ts";
import type { UpdateRounds } from "../support/roundsFile.ts";
import { createSampling, sampleOf } from "../support/sampling.ts";
import { type CallSite, type Ended, StracedLife, straceMissing } from "../support/straced.ts";
import { createTemporaryDirectory } from "../support/temporaryDirectory.ts";
import { createUpdateRounds } from "../support/updateRounds.ts";

const sampling = createSampling();
const { seed, isWhole } = sampling;
/** Two processes at a time: each mostly waits for the disk. */
const sideBySide = 2;

describeNeeding(straceMissing(), `a gateway's process (seed ${seed})`, () => {
  const cleanup = new AsyncDisposableStack();
  let rounds: UpdateRounds;
  let life: StracedLife;
  let sites: readonly CallSite[];

  beforeAll(async () => {
    rounds = await createUpdateRounds();
    life = await StracedLife.open(cleanup.use(await createTemporaryDirectory()).path, rounds);
    sites = await life.listCalls();
  });
  afterAll(() => cleanup.disposeAsync());

  /** Lives once for each of these calls, with the fault there, and checks what the next boot makes of it. */
  async function sweep(chosen: readonly CallSite[], fault: string, expectEnd: (ended: Ended) => void) {
    const violations: string[] = [];
    let endings = 0;
    const queue = chosen.entries();
    const work = async (): Promise<void> => {
      for (const [index, { call, nth, path }] of queue) {
        const name = `${fault.replaceAll(/\W/g, "-")}-${index}`;
        const ended = await life.run(name, `${call}:${fault}:when=${nth}`);
        expectEnd(ended);
        if (!ended.isDone) endings += 1;
        const found = await checkDirectory(rounds, life.stateDirectory(name), ended.world);
        violations.push(...found.map((violation) => `${fault} at ${call} ${nth} (${path}): ${violation}`));
        await rm(join(life.stateDirectory(name), ".."), { recursive: true });
      }
    };
    await Promise.all(Array.from({ length: sideBySide }, work));
    console.log(`${fault}: ${chosen.length} of ${sites.length} calls, ${endings} lives ended by it`);
    expect(violations).toEqual([]);
    return endings;
  }

  it("comes back whole when it is killed at any call that changes its state", { timeout: 1_200_000 }, async () => {
    const changing = sites.filter(({ changes }) => changes);
    expect(changing.length).toBeGreaterThan(200);
    const chosen = isWhole ? changing : sampleOf(changing, 12, sampling.random);
    const killed = await sweep(chosen, "signal=KILL", () => {});
    expect(killed).toBe(chosen.length);
  });

  it.each(["ENOSPC", "EIO"])(
    "says what failed, or goes on, when any call fails with %s, and comes back whole",
    { timeout: 1_200_000 },
    async (code) => {
      const chosen = isWhole ? sites : sampleOf(sites, 8, sampling.random);
      const ended = await sweep(chosen, `error=${code}`, ({ isDone, exitCode, signal, stderr }) => {
        if (isDone) return;
        expect({ exitCode, signal }).toEqual({ exitCode: 1, signal: null });
        expect(stderr).toMatch(new RegExp(code));
        expect(stderr).not.toMatch(/\n {4}at /);
      });
      expect(ended).toBeGreaterThan(0);
    },
  );
});
