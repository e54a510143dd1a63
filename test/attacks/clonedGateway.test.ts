// Attack: a gateway's disk is copied, and two agents connect to a real broker as the same gateway.
import { expect, it } from "vitest";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { OutstationError } from "../../src/base/error.ts";
import { limits } from "../../src/base/limits.ts";
import type { Link } from "../../src/link/link.ts";
import { mosquittoMissing, startMosquitto } from "../support/brokers.ts";
import { openSpy, openTestLink, untilOnline } from "../support/links.ts";
import { createMemoryDisk } from "../support/memoryDisk.ts";
import { describeNeeding } from "../support/needs.ts";
import { createOperatorHistory } from "../support/operatorHistory.ts";
import { gateway } from "../support/roundsFile.ts";
import { openUpdateRig } from "../support/updateRig.ts";

/** The gateway's waits are for minutes; here they pass this much faster. */
const hurry = 50;
/** Connects of one of them until it is clear how they get along. */
const rounds = 7;
const clock: Clock = {
  ...systemClock,
  after: (ms, task) => systemClock.after(ms / hurry, task),
  sleep: (ms, signal) => systemClock.sleep(ms / hurry, signal),
};

describeNeeding(mosquittoMissing(), "two agents with one identity", () => {
  it("both run what is signed, and push each other off ever more slowly", { timeout: 60_000 }, async () => {
    const history = await createOperatorHistory();
    await using broker = await startMosquitto();
    await using operator = await openSpy(broker.url, "");
    for (const { topic, payload } of history.log) await operator.publish(topic, Buffer.from(payload), true);
    await using links = new AsyncDisposableStack();
    const fought = Promise.withResolvers<readonly number[]>();
    const openClone = (): Link => {
      const link = links.use(openTestLink(broker.url, { protocol: "auto", clientId: gateway, clock }));
      const connectsMs: number[] = [];
      link.onOnline(() => {
        connectsMs.push(performance.now());
        if (connectsMs.length === rounds) fought.resolve(connectsMs);
      });
      return link;
    };
    const running = await Promise.all([openClone(), openClone()].map((link) => update(link)));
    const newest = history.deployments.at(-1)?.sha256;
    expect(running).toEqual([newest, newest]);
    const connectsMs = await fought.promise;
    const lastGapMs = (connectsMs.at(-1) ?? 0) - (connectsMs.at(-2) ?? 0);
    // Each connection pushes the other off; the waits double all the same, of which chance takes up to half.
    expect(lastGapMs * hurry).toBeGreaterThan((limits.link.reconnectMinMs * 2 ** (rounds - 2)) / 2);

    async function update(link: Link): Promise<string | undefined> {
      const { factory, nowMs } = history;
      const settings = { stateDirectory: "/state", factory, gateway, nowMs, bootId: "boot", publish: async () => {} };
      const disk = createMemoryDisk();
      for (let tries = 0; ; tries += 1) {
        const rig = await openUpdateRig({ ...settings, disk, fetch: link });
        await untilOnline(link);
        await rig.update().catch((thrown: unknown) => {
          if (!(thrown instanceof OutstationError) || tries > 20) throw thrown;
        });
        if (rig.version === history.deployments.length) return rig.running.get("boiler");
      }
    }
  });
});
