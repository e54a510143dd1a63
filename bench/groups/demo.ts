// Figures of the demo's own steps: from `deploy` to the first reading, the delta, and the way back from a crash.
import { createWorld } from "../../demo/parts/world.ts";
import { steps, type Figures } from "../../demo/steps.ts";
import type { Figure } from "../figure.ts";

/** Steps 1 to 6 make the figures; the others show refusals. */
const measuredSteps = 6;

export async function measureDemo(progress: (text: string) => void): Promise<readonly Figure[]> {
  const world = await createWorld();
  const figures: Partial<Figures> = {};
  try {
    for (const { title, run } of steps.slice(0, measuredSteps)) {
      progress(title);
      await run(world, figures);
    }
  } finally {
    await world.stop(false);
  }
  const { deployToFirstReadingMs = NaN, deltaBytes = NaN, fullBytes = NaN, rollBackMs = NaN } = figures;
  return [
    { figure: "deploy to first reading, command line included", value: deployToFirstReadingMs, unit: "ms" },
    {
      figure: "delta of three changed lines, all metadata included",
      value: deltaBytes,
      unit: "B",
      against: `the component, ${fullBytes} B`,
      ratio: deltaBytes / fullBytes,
    },
    { figure: "start of a release that crashes to the release before running again", value: rollBackMs, unit: "ms" },
  ];
}
