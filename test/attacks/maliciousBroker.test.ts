// Attack: the broker itself withholds, reorders, repeats, replays and rewrites whatever it carries, ten thousand times.
import { beforeAll, describe, expect, it } from "vitest";
import { OutstationError } from "../../src/base/error.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { createMaliciousBroker, tellTruth } from "../support/malice.ts";
import { createMemoryDisk } from "../support/memoryDisk.ts";
import { createOperatorHistory, type OperatorHistory } from "../support/operatorHistory.ts";
import { gateway } from "../support/roundsFile.ts";
import { createSampling, createSeeded } from "../support/sampling.ts";
import { openUpdateRig, type UpdateRigOptions } from "../support/updateRig.ts";

const { seed, isWhole } = createSampling();
const wanted = isWhole ? 10_000 : 600;
/** Boots that one gateway lives through with this broker, each deployment of the operator taking its share. */
const boots = 20;

let history: OperatorHistory;

beforeAll(async () => {
  history = await createOperatorHistory();
});

/** One gateway's life with the broker that this seed makes. Resolves to the number of boots that were lied to. */
async function liveWith(seed: number): Promise<{ readonly runs: number; readonly accepted: number }> {
  const random = createSeeded(seed);
  const disk = createMemoryDisk();
  const signed = new Set(history.deployments.map(({ sha256 }) => sha256));
  let [version, accepted] = [0, 0];
  const boot = async (fetch: UpdateRigOptions["fetch"]): Promise<void> => {
    const { factory, nowMs } = history;
    const settings = { disk, stateDirectory: "/state", factory, gateway, nowMs, bootId: "boot", fetch };
    const rig = await openUpdateRig({ ...settings, publish: async () => {} });
    try {
      await rig.update();
    } catch (thrown) {
      // What the executor tries again later; anything else is a crash.
      if (!(thrown instanceof OutstationError)) throw thrown;
    }
    expect(rig.version, "an older deployment was accepted").toBeGreaterThanOrEqual(version);
    if (rig.version > version) accepted += 1;
    version = rig.version;
    expect(rig.running.get("boiler")).toBe(history.deployments[version - 1]?.sha256);
    const stored = [...disk.files].filter(([path]) => path.endsWith(".wasm")).map(([, bytes]) => sha256Hex(bytes));
    expect(stored.filter((sha256) => !signed.has(sha256))).toEqual([]);
    expect([undefined, history.operators]).toContain(textOf(disk.files.get("/state/operators.json")));
  };
  for (let run = 0; run < boots; run += 1) {
    const present = history.deployments[Math.floor((run * history.deployments.length) / boots)];
    const broker = createMaliciousBroker(history, random, present?.end ?? 0);
    await boot(async (topic) => broker.answer(topic));
    expect(version).toBeLessThanOrEqual(history.deployments.indexOf(present ?? { end: 0, sha256: "" }) + 1);
  }
  const honest = tellTruth(history);
  await boot(async (topic) => honest(topic));
  expect(version, "an honest broker brings the newest deployment").toBe(history.deployments.length);
  return { runs: boots, accepted };
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString();
}

describe("a malicious broker", () => {
  it(
    `makes a gateway accept nothing but what was signed for it, and nothing older, ${wanted} times (seed ${seed})`,
    { timeout: 1_200_000 },
    async () => {
      let [runs, accepted] = [0, 0];
      for (let life = 0; runs < wanted; life += 1) {
        const lived = await liveWith(seed + life).catch((thrown: unknown) => {
          throw new Error(`OUTSTATION_SEED=${seed + life}: ${String(thrown)}`, { cause: thrown });
        });
        runs += lived.runs;
        accepted += lived.accepted;
      }
      console.log(`${runs} boots with a malicious broker, ${accepted} of them brought a newer deployment`);
      expect(accepted).toBeGreaterThan(0);
    },
  );
});
