// On a slow link a file may come while somebody else is already asked for it: that must not spend the asking for the next one.
import { expect, it } from "vitest";
import { createGetFallback } from "../../../src/agent/getFallback.ts";
import { createRetainedFetch } from "../../../src/agent/retainedFetch.ts";
import { limits } from "../../../src/base/limits.ts";
import type { Ask } from "../../../src/link/ask.ts";
import { LinkError } from "../../../src/link/link.ts";
import { createManualClock } from "../../support/manualClock.ts";

const file = Uint8Array.of(1, 2, 3);

/** A broker that holds "slow" and nothing else, and a server that answers in two seconds, with what it has. */
function start(served: ReadonlySet<string>) {
  const clock = createManualClock();
  const asked: string[] = [];
  const ask: Ask = async (request, { take, signal }) => {
    const name = request.want === "file" ? request.file : "";
    asked.push(name);
    await clock.sleep(2 * limits.get.afterMs, signal);
    if (!served.has(name)) return "none";
    await take(0, file);
    return "answered";
  };
  const fetch = createRetainedFetch({
    clock,
    signal: new AbortController().signal,
    fetchTopic: async (topic, { signal }) => {
      await clock.sleep(topic === "slow" ? 1.5 * limits.get.afterMs : limits.link.fetchTimeoutMs, signal);
      if (topic === "slow") return file;
      throw new LinkError("timeout", "nothing came", { retryable: true });
    },
  })({ topicOf: (name) => name, fallback: createGetFallback(ask)("image") });
  const get = async (name: string): Promise<Uint8Array | undefined> => {
    const got = fetch(name, 10);
    await clock.advance(2 * limits.link.fetchTimeoutMs);
    return got;
  };
  return { get, asked };
}

it("asks for a file that the broker lost, after another that was only late", async () => {
  const { get, asked } = start(new Set(["lost"]));
  expect(await get("slow")).toEqual(file);
  expect(await get("lost")).toEqual(file);
  expect(asked).toEqual(["slow", "lost"]);
});

it("asks no more once a file was not to be had", async () => {
  const { get, asked } = start(new Set());
  expect([await get("gone"), await get("lost")]).toEqual([undefined, undefined]);
  expect(asked).toEqual(["gone"]);
});

it("does not spend the asking on a difference, which nobody but the broker has", async () => {
  const { get, asked } = start(new Set(["lost"]));
  expect(await get("from.3.round")).toBeUndefined();
  expect(await get("lost")).toEqual(file);
  expect(asked).toEqual(["lost"]);
});
