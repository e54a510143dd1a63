// A gateway whose own clock is wrong, on a real broker, with and without a server that tells it the time.
import { describe, expect, test } from "vitest";
import { createRepositories, type Repositories } from "../../src/agent/repositories.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { systemRandom } from "../../src/base/random.ts";
import { createAsk } from "../../src/link/ask.ts";
import type { Link } from "../../src/link/link.ts";
import { answerGets } from "../../src/operator/serve/answerGets.ts";
import { openSession } from "../../src/operator/session.ts";
import { createTopics } from "../../src/protocol/topics.ts";
import { startAedes } from "../support/brokers.ts";
import { createFleet, dayMs, deployTo, hourMs, release, startMs, type Fleet } from "../support/fleet.ts";
import { openTestLink, untilOnline } from "../support/links.ts";
import { createMemoryDisk } from "../support/memoryDisk.ts";

const gateway = "plant-7";

interface World extends AsyncDisposable {
  readonly fleet: Fleet;
  /** A gateway that was just set up, whose own clock says this. */
  start(ownMs: number): Repositories;
  serve(): Promise<void>;
}

async function openWorld(): Promise<World> {
  await using cleanup = new AsyncDisposableStack();
  const broker = cleanup.use(await startAedes());
  const fleet = cleanup.use(await createFleet());
  const workspace = { ...fleet.workspace, settings: { ...fleet.workspace.settings, broker: broker.url } };
  const session = cleanup.use(await openSession(workspace.settings, { clock: systemClock, random: systemRandom }));
  const link: Link = cleanup.use(openTestLink(broker.url, { clientId: gateway }));
  await untilOnline(link);
  const published = { ...fleet, publisher: session.link };
  await release(published, { version: "1.0.0" });
  await deployTo(published, gateway, "boiler@1.0.0");
  const topics = createTopics();
  const stop = new AbortController();
  cleanup.defer(() => stop.abort());
  const opened = cleanup.move();
  return {
    fleet,
    start: (ownMs) => {
      // Waits a tenth of what they would be; the wall clock is the gateway's own, wrong one.
      const clock = {
        ...systemClock,
        nowMs: () => ownMs,
        after: (ms: number, task: () => void) => systemClock.after(ms / 10, task),
      };
      const config = { gateway, factory: fleet.factory, board: "", protocol: "auto" as const };
      const ask = createAsk({ link, topics: topics.gateway(gateway), clock, random: systemRandom });
      const shared = { config, link, topics, ask, clock, random: systemRandom, log: silentLog, signal: stop.signal };
      return createRepositories({
        ...shared,
        disk: createMemoryDisk(),
        stateDirectory: "/state",
        installed: () => undefined,
      });
    },
    serve: async () => void (await answerGets({ workspace, session, log: silentLog })),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

describe("a gateway on its first contact", { timeout: 30_000 }, () => {
  test("with a clock at 1970 is not shown what expired as if it were fresh, when somebody tells it the time", async () => {
    await using world = await openWorld();
    world.fleet.time.nowMs = startMs + 8 * dayMs;
    expect(await world.start(0).refresh()).toMatchObject({ deployment: { version: 1 } });
    await world.serve();
    expect(await world.start(0).refresh()).toMatchObject({ kind: "refused", rule: "trust.expired" });
  });

  test("with a clock ten years ahead refuses everything, until somebody tells it the time", async () => {
    await using world = await openWorld();
    const { refresh, clock } = world.start(startMs + 3650 * dayMs);
    expect(await refresh()).toMatchObject({ kind: "refused", rule: "trust.expired" });
    await world.serve();
    const again = world.start(startMs + 3650 * dayMs);
    expect(await again.clock.ask()).toBe(true);
    expect(await again.refresh()).toMatchObject({ deployment: { version: 1 } });
    expect(clock.nowMs()).toBeGreaterThan(startMs + 3000 * dayMs);
  });

  test("with a clock that is right asks all the same, and goes on without waiting", async () => {
    await using world = await openWorld();
    await world.serve();
    const { refresh, clock } = world.start(startMs + hourMs);
    expect(await refresh()).toMatchObject({ deployment: { version: 1 } });
    world.fleet.time.nowMs = startMs + hourMs;
    expect(await clock.ask()).toBe(false);
  });

  test("takes the timestamp that the broker sent by itself, and looks at no more when nothing is new", async () => {
    await using world = await openWorld();
    const { heard } = world.start(startMs);
    const asked: string[] = [];
    const fetchFile = heard.before(async (name) => {
      asked.push(name);
      return undefined;
    });
    heard.hear(Uint8Array.of(1, 2, 3));
    expect(await fetchFile("timestamp.json", 100)).toEqual(Uint8Array.of(1, 2, 3));
    expect(await fetchFile("timestamp.json", 2)).toBeUndefined();
    heard.forget();
    await Promise.all([fetchFile("timestamp.json", 100), heard.hear(Uint8Array.of(4))]);
    await fetchFile("1.snapshot.json", 100);
    heard.hear(new Uint8Array());
    expect(asked).toEqual(["timestamp.json", "1.snapshot.json"]);
  });
});
