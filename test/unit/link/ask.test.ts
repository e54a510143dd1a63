// An answer counts by what was asked for: whatever else comes at its topics neither ends nor prolongs the asking.
import { expect, it } from "vitest";
import { limits } from "../../../src/base/limits.ts";
import { systemRandom } from "../../../src/base/random.ts";
import { createAsk, type AskEnd } from "../../../src/link/ask.ts";
import type { Link, MessageHandler } from "../../../src/link/link.ts";
import { createTrafficMeter } from "../../../src/link/traffic.ts";
import { createTopics } from "../../../src/protocol/topics.ts";
import { createManualClock } from "../../support/manualClock.ts";

function start() {
  const clock = createManualClock();
  const topics = createTopics().gateway("plant-7");
  let receive: MessageHandler = () => undefined;
  let request = "";
  const link = {
    online: true,
    traffic: { ...createTrafficMeter(), socket: { in: 0, out: 0 } },
    subscribe: async (_filter: string, handler: MessageHandler) => {
      receive = handler;
      return async () => undefined;
    },
    publish: async ({ topic }: { topic: string }) => {
      request = topic.slice(topic.lastIndexOf("/") + 1);
    },
  } as unknown as Link;
  const ask = createAsk({ link, topics, clock, random: systemRandom });
  let end: AskEnd | undefined;
  const isWanted = (_part: number, payload: Uint8Array): boolean => payload.length === 4;
  const taken: number[] = [];
  const take = (part: number): void => void taken.push(part);
  const wanted = { parts: new Set([0, 1]), isWanted, take, signal: new AbortController().signal };
  void ask({ want: "blob", sha256: "0".repeat(64), chunks: [0, 1] }, wanted).then((outcome) => (end = outcome));
  const pass = async (part: string, payload: string): Promise<AskEnd | undefined> => {
    await clock.advance(limits.get.timeoutMs / 2);
    await receive(`out/${request}/${part}`, Buffer.from(payload), false);
    await clock.advance(limits.get.timeoutMs / 2);
    return end;
  };
  return { pass, taken };
}

it.each([
  ["of a part that nobody asked for", "7", "four"],
  ["of a wrong length", "0", "too long"],
  ["of no number", "x", "four"],
])("is given up when nothing comes but messages %s", async (_what, part, payload) => {
  const { pass, taken } = start();
  expect(await pass(part, payload)).toBe("silent");
  expect(taken).toEqual([]);
});

it("goes on while parts come that were asked for, and not for one that comes again", async () => {
  const { pass, taken } = start();
  expect(await pass("1", "four")).toBeUndefined();
  expect(await pass("1", "four")).toBe("silent");
  expect(taken).toEqual([1]);
});
