// npm run demo: the main job end to end, on this machine, with nothing but npm; exit 0 only if all of it is as expected.
import { parseArgs } from "node:util";
import { steps, type Figures } from "./steps.ts";
import { createWorld, gateway, type World } from "./parts/world.ts";

const { values } = parseArgs({
  options: { keep: { type: "boolean" }, json: { type: "boolean" }, help: { type: "boolean", short: "h" } },
});
const say = (text: string): void => void (values.json === true || process.stdout.write(`${text}\n`));

if (values.help === true) {
  process.stdout.write(
    "npm run demo -- [--keep] [--json]\n  --keep  leave everything running at the end\n  --json  figures only\n",
  );
} else {
  process.exitCode = await demo();
}

interface Done {
  readonly title: string;
  readonly outcome: string;
  readonly tookMs: number;
}

async function demo(): Promise<number> {
  const startedMs = performance.now();
  say("Making a fleet, a broker and a gateway with a simulated board…");
  const figures: Partial<Figures> = {};
  const done: Done[] = [];
  const interrupted = new Promise<void>((resolve) => process.once("SIGINT", resolve));
  const world = await createWorld();
  // Interrupted in the middle of a step: nothing may be left behind.
  void interrupted.then(() => {
    if (done.length < steps.length) void world.stop(false).then(() => process.exit(130));
  });
  try {
    for (const [index, { title, run }] of steps.entries()) {
      const started = performance.now();
      const outcome = await run(world, figures);
      const tookMs = performance.now() - started;
      done.push({ title, outcome, tookMs });
      say(`${index + 1}/${steps.length} ${title}\n    ${outcome} [${(tookMs / 1000).toFixed(1)} s]`);
    }
  } catch (error) {
    const title = steps[done.length]?.title ?? "";
    process.stderr.write(`${done.length + 1}/${steps.length} ${title}\n    ${(error as Error).message}\n`);
    process.stderr.write(`The gateway's log is ${world.directory}/outstationd.log\n`);
  }
  say(`\n${formatTable(done)}`);
  say(
    `\ndemo: ${steps.length} steps, ${done.length} as expected (${((performance.now() - startedMs) / 1000).toFixed(0)} s)`,
  );
  if (values.json === true) process.stdout.write(`${JSON.stringify(figures)}\n`);
  const isAsExpected = done.length === steps.length;
  if (values.keep === true) await keep(world, interrupted);
  await world.stop(!isAsExpected);
  return isAsExpected ? 0 : 1;
}

function formatTable(done: readonly Done[]): string {
  const width = Math.max(...done.map(({ title }) => title.length), 4);
  const rows = done.map(
    ({ title, tookMs }, index) => `${index + 1}  ${title.padEnd(width)}  ${(tookMs / 1000).toFixed(1).padStart(5)} s`,
  );
  return [`#  ${"step".padEnd(width)}     time`, ...rows].join("\n");
}

async function keep({ directory }: World, interrupted: Promise<void>): Promise<void> {
  const outstation = "npm run --silent outstation --";
  const dir = `--dir ${directory}/fleet`;
  say(`\nEverything is left running in ${directory}. Try, in another terminal:
  ${outstation} status ${dir}
  ${outstation} watch ${gateway} --for 5s ${dir}
  ${outstation} command ${gateway} boiler relay '{"on":false}' ${dir}
  ${outstation} why ${gateway} ${dir}
  ${outstation} logs ${gateway} boiler ${dir}
Ctrl-C ends it.`);
  await interrupted;
}
