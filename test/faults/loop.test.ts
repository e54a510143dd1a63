// Copies of a real disk's blocks, taken while a gateway's process writes: after each the next boot comes back whole.
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { checkDirectory } from "../support/checkDirectory.ts";
import { type LoopDisk, loopMissing, openLoopDisk } from "../support/loopDisk.ts";
import { describeNeeding } from "../support/needs.ts";
import { encodeRounds } from "../support/roundsFile.ts";
import { createSampling } from "../support/sampling.ts";
import { readLines, worldOf } from "../support/seenWorld.ts";
import { createTemporaryDirectory } from "../support/temporaryDirectory.ts";
import { createUpdateRounds } from "../support/updateRounds.ts";

const { seed, isWhole, random } = createSampling();
const wanted = isWhole ? 250 : 12;
/** Longest wait between two cuts: a life takes about ten of them. */
const longestMs = isWhole ? 60 : 150;

interface Cut {
  readonly name: string;
  /** What the world had seen before and after the copy was made: one of the numbers of lines in between is the truth. */
  readonly seen: readonly [number, number];
}

describeNeeding(loopMissing(), "a gateway's process on a disk of its own", () => {
  it(
    `comes back whole from ${wanted} power cuts at random moments (seed ${seed})`,
    { timeout: 1_200_000 },
    async () => {
      await using cleanup = new AsyncDisposableStack();
      const { path: directory } = cleanup.use(await createTemporaryDirectory());
      const disk = cleanup.use(await openLoopDisk());
      const rounds = await createUpdateRounds();
      await writeFile(join(directory, "rounds.json"), encodeRounds(rounds));
      const violations: string[] = [];
      const moments = new Set<string>();
      let cuts = 0;
      for (let life = 1; cuts < wanted; life += 1) {
        const world = join(directory, `world-${life}`);
        const taken = await cutLife(disk, directory, world);
        const lines = await readLines(world);
        expect(worldOf(lines).isDone).toBe(true);
        for (const { name, seen } of taken) {
          const state = join(directory, `${life}-${name}`);
          disk.recover(name, state);
          const found = await checkSeen(state, lines, seen);
          cuts += 1;
          moments.add(`${seen}`);
          violations.push(...found.map((violation) => `life ${life}, ${name}, ${seen} lines seen: ${violation}`));
        }
      }
      console.log(`${cuts} power cuts, ${moments.size} different moments of what the world had seen`);
      expect(violations).toEqual([]);

      async function checkSeen(state: string, lines: readonly string[], [least, most]: Cut["seen"]) {
        let found: readonly string[] = [];
        for (let count = least; count <= most; count += 1) {
          const { world } = worldOf(lines.slice(0, count));
          found = await checkDirectory(rounds, state, world);
          if (found.length === 0) break;
        }
        return found;
      }
    },
  );
});

/** Lives once on a fresh file system, and copies it at random moments until the process has ended. */
async function cutLife(disk: LoopDisk, directory: string, world: string): Promise<readonly Cut[]> {
  disk.format();
  const script = join(import.meta.dirname, "../support/updateProcess.ts");
  const args = [
    "--disable-warning=ExperimentalWarning",
    script,
    join(directory, "rounds.json"),
    join(disk.state, "state"),
    world,
  ];
  const child = disk.start(process.execPath, args, { TMPDIR: directory });
  const ended = once(child, "close");
  const cuts: Cut[] = [];
  // Nothing is on the disk before the first deployment is published.
  while (child.exitCode === null) {
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, random() * longestMs))]);
    const before = (await readLines(world)).length;
    if (before === 0) continue;
    const name = `cut-${cuts.length}`;
    disk.cut(name);
    cuts.push({ name, seen: [before, (await readLines(world)).length] });
  }
  await ended;
  return cuts;
}
