// The proof that the broker is reached, and the drain that waits for it: both end, and neither asks in a hot loop.
import { describe, expect, it } from "vitest";
import { drainWhenOnline } from "../../../src/agent/drain.ts";
import { reachBroker } from "../../../src/agent/reachBroker.ts";
import { limits } from "../../../src/base/limits.ts";
import { LinkError, offlineError } from "../../../src/link/link.ts";
import { createTopics } from "../../../src/protocol/topics.ts";
import { createManualClock, settle } from "../../support/manualClock.ts";

const full = new LinkError("queue-full", "Too much waits.", { retryable: true });
const refused = new LinkError("refused", "The broker refused: not authorized.");

function createLink(online: boolean) {
  const listeners = new Set<() => void>();
  const link = {
    online,
    onOnline: (callback: () => void) => {
      listeners.add(callback);
      return () => void listeners.delete(callback);
    },
    publish: (): Promise<void> => Promise.resolve(),
    connect: () => {
      link.online = true;
      for (const listener of listeners) listener();
    },
    listeners,
  };
  return link;
}

function failureOf(promise: Promise<void>): Promise<string> {
  return promise.then(
    () => "none",
    (error: Error) => error.message,
  );
}

/** Answers in turn; the last answer stays. */
function createPublish(answers: readonly (Error | "acknowledged" | "silence")[]) {
  let calls = 0;
  const publish = async (): Promise<void> => {
    const answer = answers[Math.min(calls, answers.length - 1)];
    calls += 1;
    if (answer instanceof Error) throw answer;
    if (answer === "silence") await new Promise(() => {});
  };
  return { publish, calls: () => calls };
}

describe("reachBroker", () => {
  it("resolves when the broker acknowledged", async () => {
    const { publish, calls } = createPublish(["acknowledged"]);
    await reachBroker(createLink(true), publish, { clock: createManualClock(), withinMs: 1000 });
    expect(calls()).toBe(1);
  });

  it("waits for the link, and goes on after it dropped", async () => {
    const clock = createManualClock();
    const link = createLink(false);
    const { publish, calls } = createPublish([offlineError(), "acknowledged"]);
    const reached = reachBroker(link, publish, { clock, withinMs: 60_000 });
    await settle();
    expect(calls()).toBe(0);
    link.connect();
    await clock.advance(limits.link.republishMs);
    await reached;
    expect([calls(), link.listeners.size, clock.pending().length]).toEqual([2, 0, 0]);
  });

  it.each([
    ["the link stays away", false, "silence"],
    ["the broker says nothing", true, "silence"],
    ["everything stays full", true, full],
  ] as const)("rejects when %s until the time is over", async (_case, online, answer) => {
    const clock = createManualClock();
    const { publish, calls } = createPublish([answer]);
    const reached = reachBroker(createLink(online), publish, { clock, withinMs: 20_000 });
    const failure = failureOf(reached);
    await clock.advance(20_000);
    expect(await failure).toBe("the broker was not reached within 20 s");
    expect(calls()).toBeLessThanOrEqual(20_000 / limits.link.republishMs);
  });

  it("rejects at once with a failure that time does not mend", async () => {
    const { publish } = createPublish([refused]);
    const options = { clock: createManualClock(), withinMs: 1000 };
    await expect(reachBroker(createLink(true), publish, options)).rejects.toBe(refused);
  });
});

describe("drainWhenOnline", () => {
  function start(outcomes: readonly (Error | "until aborted")[], online = true) {
    const clock = createManualClock();
    const link = createLink(online);
    const stop = new AbortController();
    let drains = 0;
    const drain = async (_publish: unknown, signal: AbortSignal): Promise<void> => {
      const outcome = outcomes[Math.min(drains, outcomes.length - 1)];
      drains += 1;
      if (outcome instanceof Error) throw outcome;
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    };
    const topics = createTopics().gateway("g");
    const ended = drainWhenOnline({ telemetry: { drain }, link, topics, clock }, stop.signal);
    return { clock, link, stop, ended, drains: () => drains };
  }

  it("drains once the link is online, and ends when it is told to", async () => {
    const { link, stop, ended, drains } = start(["until aborted"], false);
    await settle();
    expect(drains()).toBe(0);
    link.connect();
    await settle();
    expect(drains()).toBe(1);
    stop.abort();
    await ended;
  });

  it("sends a broker that refuses the readings no more than one round in a while", async () => {
    const { clock, stop, ended, drains } = start([refused]);
    await clock.advance(limits.link.republishMs * 3);
    expect(drains()).toBe(4);
    stop.abort();
    await ended;
  });

  it("rejects when the outbox fails", async () => {
    const { ended, clock } = start([new Error("the disk is gone")]);
    const failure = failureOf(ended);
    await clock.advance(limits.link.republishMs);
    expect(await failure).toBe("the disk is gone");
  });
});
