// Bytes that are not a component, or no longer the one they were: refused, or dead inside their own worker, never more.
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { OpenedBoard } from "../../devices/openBoard.ts";
import { systemClock } from "../../src/base/clock.ts";
import { limits } from "../../src/base/limits.ts";
import { isRefusal } from "../../src/protocol/refusal.ts";
import { admitComponent, type Admission } from "../../src/runtime/admit.ts";
import { openTranspileCache, type TranspileCache, type TranspiledComponent } from "../../src/runtime/cache.ts";
import { startIncarnation, type IncarnationOptions } from "../../src/runtime/incarnation.ts";
import { writeComponent } from "../support/componentFile.ts";
import { buildGuest, openTestBoard, parseGuestDeployment } from "../support/guests.ts";
import { mutate } from "../support/mutate.ts";
import { createTemporaryDirectory } from "../support/temporaryDirectory.ts";
import { createWitness } from "../support/witness.ts";

const mutations = 30;
const deployment = parseGuestDeployment("echo", { limits: { call: "2s" } });
let directory: Awaited<ReturnType<typeof createTemporaryDirectory>>;
let cache: TranspileCache;
let board: OpenedBoard;
let echo: Uint8Array;

beforeAll(async () => {
  directory = await createTemporaryDirectory();
  cache = await openTranspileCache(directory.path, systemClock);
  board = await openTestBoard();
  echo = await buildGuest("echo");
});

afterAll(async () => {
  await board.close();
  await directory[Symbol.asyncDispose]();
});

test("the guest answers while nobody has damaged it", async () => {
  expect(await outlive(echo)).toBe("answered");
});

test("a component that makes itself more memories than it may is ended at its start", async () => {
  const instances = (count: number): string =>
    Array.from({ length: count }, (_, index) => `(core instance $i${index} (instantiate $m))`).join(" ");
  const { memories } = limits.component;
  const make = (count: number): Promise<Uint8Array> =>
    parse(`(component (core module $m (memory 1)) ${instances(count)})`);
  expect(await start(await make(memories))).toBe("started");
  expect(await start(await make(memories + 1))).toContain(`more than ${memories} memories`);
});

// Few flips most often hit code and data, many most often hit the structure; both matter.
test.each(Array.from({ length: mutations }, (_, seed) => seed))(
  "mutation %i of a valid component is refused, or lives and dies in its worker",
  { timeout: 60_000 },
  async (seed) => {
    const outcome = await outlive(mutate(echo, seed, [1, 8, 200][seed % 3] ?? 1));
    expect(outcome).toMatch(/^(refused admission\.|answered|ended: .)/);
  },
);

/** Runs the bytes as far as they go; resolves with what became of them. */
async function outlive(bytes: Uint8Array): Promise<string> {
  await using file = await writeComponent(bytes);
  const outcome = await cache.prepare(file, (shape) => admitComponent("echo", shape, deployment, board.ports));
  if (isRefusal(outcome)) return `refused ${outcome.rule}: ${outcome.seen}`;
  const life = startIncarnation(optionsFor(outcome.transpiled, outcome.admitted));
  const answer = await life.message("echo", '"hello"');
  await life.stop();
  return answer.kind === "trap" ? `ended: ${(await life.ended).reason}` : "answered";
}

/** Starts bytes that nothing could call; resolves with "started", or with why they did not. */
async function start(bytes: Uint8Array): Promise<string> {
  const admission = { kind: "admitted", imports: [], handlers: [], isProgram: false } as const;
  await using file = await writeComponent(bytes);
  const outcome = await cache.prepare(file, () => admission);
  if (isRefusal(outcome)) return outcome.seen;
  const life = startIncarnation(optionsFor(outcome.transpiled, admission));
  const started = await life.healthy.then(
    () => "started",
    (error: Error) => error.message,
  );
  await life.stop();
  return started;
}

function optionsFor(transpiled: TranspiledComponent, admission: Admission): IncarnationOptions {
  const listener = createWitness();
  return { deployment, admission, transpiled, board, clock: systemClock, report: async () => undefined, listener };
}
