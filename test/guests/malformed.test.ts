// Bytes that are not a component, or no longer the one they were: refused, or dead inside their own worker, never more.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { OpenedBoard } from "../../devices/openBoard.ts";
import { systemClock } from "../../src/base/clock.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { isRefusal } from "../../src/protocol/refusal.ts";
import { admitComponent } from "../../src/runtime/admit.ts";
import { openTranspileCache, type TranspileCache } from "../../src/runtime/cache.ts";
import { startIncarnation, type IncarnationOptions } from "../../src/runtime/incarnation.ts";
import { buildGuest, openTestBoard, parseGuestDeployment } from "../support/guests.ts";
import { mutate } from "../support/mutate.ts";
import { createTemporaryDirectory } from "../support/temporaryDirectory.ts";
import { createWitness } from "../support/witness.ts";

const mutations = 30;
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
  const deployment = parseGuestDeployment("echo", { limits: { call: "2s" } });
  const outcome = await cache.prepare({ sha256: sha256Hex(bytes), bytes }, (shape) =>
    admitComponent("echo", shape, deployment, board.ports),
  );
  if (isRefusal(outcome)) return `refused ${outcome.rule}: ${outcome.seen}`;
  const { transpiled, admitted: admission } = outcome;
  const listener = createWitness();
  const options: IncarnationOptions = {
    deployment,
    admission,
    transpiled,
    board,
    clock: systemClock,
    report: async () => undefined,
    listener,
  };
  const life = startIncarnation(options);
  const answer = await life.message("echo", '"hello"');
  await life.stop();
  return answer.kind === "trap" ? `ended: ${(await life.ended).reason}` : "answered";
}
