// Attack: somebody between a gateway and a real broker drops, repeats, delays, cuts, garbles and rewrites MQTT packets.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Clock } from "../../src/base/clock.ts";
import { systemClock } from "../../src/base/clock.ts";
import { OutstationError } from "../../src/base/error.ts";
import { startAedes } from "../support/brokers.ts";
import { startHostileProxy } from "../support/hostileProxy.ts";
import { openSpy, openTestLink, untilOnline } from "../support/links.ts";
import { createMaliciousBroker } from "../support/malice.ts";
import { createMemoryDisk } from "../support/memoryDisk.ts";
import { createOperatorHistory, type OperatorHistory } from "../support/operatorHistory.ts";
import { gateway } from "../support/roundsFile.ts";
import { createSampling, createSeeded } from "../support/sampling.ts";
import { openUpdateRig, type UpdateRig } from "../support/updateRig.ts";

const { seed, isWhole } = createSampling();
const runs = isWhole ? 500 : 60;
/** The gateway's waits are for minutes; on the loopback a fraction of each is plenty. */
const hurry = 40;
const clock: Clock = {
  ...systemClock,
  after: (ms, task) => systemClock.after(ms / hurry, task),
  sleep: (ms, signal) => systemClock.sleep(ms / hurry, signal),
};

const cleanup = new AsyncDisposableStack();
let history: OperatorHistory;
let brokerUrl = "";

beforeAll(async () => {
  history = await createOperatorHistory();
  const broker = cleanup.use(await startAedes());
  brokerUrl = broker.url;
  await using operator = await openSpy(broker.url, "");
  for (const { topic, payload } of history.log) await operator.publish(topic, Buffer.from(payload), true);
});
afterAll(() => cleanup.disposeAsync());

/** Boots once behind the proxy and once behind it when it behaves; the second gets there. */
async function live(seed: number): Promise<number> {
  const malice = createMaliciousBroker(history, createSeeded(seed), history.log.length);
  const rewrite = (topic: string): Uint8Array | undefined => malice.answer(topic);
  await using proxy = await startHostileProxy(brokerUrl, { seed, share: 0.2, rewrite });
  await using link = openTestLink(proxy.url, { protocol: "3.1.1", clientId: gateway, clock });
  const disk = createMemoryDisk();
  const boot = async (): Promise<UpdateRig> => {
    const { factory, nowMs } = history;
    const settings = { disk, stateDirectory: "/state", factory, gateway, nowMs, bootId: "boot", fetch: link };
    const rig = await openUpdateRig({ ...settings, clock, publish: async () => {} });
    await untilOnline(link);
    await rig.update().catch((thrown: unknown) => {
      if (!(thrown instanceof OutstationError)) throw thrown;
    });
    expect(rig.running.get("boiler")).toBe(history.deployments[rig.version - 1]?.sha256);
    return rig;
  };
  await boot();
  const { spoiled } = proxy;
  proxy.behave();
  let { version } = await boot();
  // The cut may have come in the middle of it; the executor looks again after that.
  const newest = history.deployments.length;
  for (let tries = 0; version < newest && tries < 3; tries += 1) ({ version } = await boot());
  expect(version, "an honest network brings the newest deployment").toBe(newest);
  return spoiled;
}

describe("a hostile network", () => {
  it(
    `makes a gateway run nothing but what was signed, and does not keep it from that afterwards, ${runs} times (seed ${seed})`,
    { timeout: 1_200_000 },
    async () => {
      let spoiled = 0;
      for (let run = 0; run < runs; run += 1)
        spoiled += await live(seed + run).catch((thrown: unknown) => {
          throw new Error(`OUTSTATION_SEED=${seed + run}: ${String(thrown)}`, { cause: thrown });
        });
      console.log(`${runs} gateways behind a hostile network, ${spoiled} packets spoiled`);
      expect(spoiled).toBeGreaterThan(runs / 2);
    },
  );
});
