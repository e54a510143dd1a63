// What the broker does not hold comes from whoever serves the fleet, on every broker, and nothing that was not asked for.
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createGetFallback } from "../../src/agent/getFallback.ts";
import { createRetainedFetch } from "../../src/agent/retainedFetch.ts";
import { systemClock } from "../../src/base/clock.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { limits } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { createAsk } from "../../src/link/ask.ts";
import { fetchChunks } from "../../src/link/fetchChunks.ts";
import type { Link } from "../../src/link/link.ts";
import { publishBlob } from "../../src/link/publishBlob.ts";
import { createTopics } from "../../src/protocol/topics.ts";
import { brokerKinds } from "../support/brokerKinds.ts";
import type { Broker } from "../support/brokers.ts";
import { startResponder, type Served } from "../support/getResponder.ts";
import { openTestLink, untilOnline } from "../support/links.ts";
import { createManualClock, type ManualClock } from "../support/manualClock.ts";
import { createMemorySink, type MemorySink } from "../support/memorySink.ts";
import { describeNeeding } from "../support/needs.ts";

const { chunkSizeBytes } = limits.blob;
const bytes = randomBytes(limits.get.chunks * chunkSizeBytes + 70_000);
const blob = { sha256: sha256Hex(bytes), length: bytes.length };
const topics = createTopics("t");
const served = { root: "t", gateway: "g-1" };
const forever = new AbortController().signal;

for (const { name, start, protocol, missing } of brokerKinds)
  describeNeeding(missing, `asking over ${name}`, () => {
    let broker: Broker;
    let link: Link;
    let clock: ManualClock;
    beforeEach(async () => {
      broker = await start();
      link = openTestLink(broker.url, { protocol });
      clock = createManualClock();
      await untilOnline(link);
    });
    afterEach(async () => {
      await link.close();
      await broker[Symbol.asyncDispose]();
    });
    const createOwnAsk = (): ReturnType<typeof createAsk> =>
      createAsk({ link, topics: topics.gateway("g-1"), clock, random: systemRandom });
    const fetch = (sink: MemorySink): ReturnType<typeof fetchChunks> =>
      fetchChunks({ link, topics, clock, ask: createOwnAsk() }, blob, sink, forever);
    /** Lets the clock run until it is over. */
    const hasten = async <T>(task: Promise<T>): Promise<T> => {
      const state = { isOver: false };
      const over = task.finally(() => {
        state.isOver = true;
      });
      while (!state.isOver) {
        await link.publish({ topic: "turn", payload: "" });
        await clock.advance(limits.get.timeoutMs / 10);
      }
      return over;
    };
    const respond = (more: Partial<Served> = {}): ReturnType<typeof startResponder> =>
      startResponder(broker.url, { ...served, ...more });

    it("gets every chunk of a blob that the broker lost, so many at once", async () => {
      await using responder = await respond({ blobs: new Map([[blob.sha256, bytes]]) });
      const sink = createMemorySink(blob.length);
      expect(await hasten(fetch(sink))).toBeUndefined();
      expect(Buffer.from(sink.bytes).equals(bytes)).toBe(true);
      expect(responder.requests.map((request) => (request.want === "blob" ? request.chunks.length : 0))).toEqual([
        16, 2,
      ]);
    });

    it("asks only for the chunks that do not come as retained messages", async () => {
      await using responder = await respond({ blobs: new Map([[blob.sha256, bytes]]) });
      await publishBlob(link, topics, bytes);
      await link.publish({ topic: topics.blob(blob.sha256, 3), payload: "", retain: true });
      expect(await hasten(fetch(createMemorySink(blob.length)))).toBeUndefined();
      expect(responder.requests).toEqual([{ want: "blob", sha256: blob.sha256, chunks: [3] }]);
    });

    it("passes over parts that are too long, repeated, not asked for, or no number", async () => {
      const chunk = bytes.subarray(0, chunkSizeBytes);
      const noise = [
        ["0", Buffer.concat([chunk, chunk])],
        ["0", chunk.subarray(1)],
        ["0", chunk],
        ["0", Buffer.alloc(chunkSizeBytes)],
        ["17", Buffer.alloc(70_000)],
        ["999", chunk],
        ["-1", chunk],
        ["01", chunk],
        ["word", chunk],
      ] as const;
      await using _responder = await respond({ blobs: new Map([[blob.sha256, bytes]]), noise });
      const sink = createMemorySink(blob.length);
      expect(await hasten(fetch(sink))).toBeUndefined();
      expect(Buffer.from(sink.bytes).equals(bytes)).toBe(true);
      expect(sink.taken.length).toBe(18);
    });

    it("refuses a blob that nobody has, after one request", async () => {
      await using responder = await respond();
      const refused = await hasten(fetch(createMemorySink(blob.length)));
      expect(refused).toMatchObject({ rule: "delivery.missing", seen: expect.stringContaining("whoever serves") });
      expect(responder.requests).toHaveLength(1);
    });

    it("refuses a blob when nobody answers, after so many attempts", async () => {
      const refused = await hasten(fetch(createMemorySink(blob.length)));
      expect(refused).toMatchObject({
        rule: "delivery.missing",
        seen: expect.stringContaining(`${limits.blob.chunkAttempts} attempts`),
      });
    });

    it("gets a file that the broker has not, and asks once in a refresh when nobody has it", async () => {
      const files = new Map([["director/index.json", Buffer.from('{"root": 2}')]]);
      await using responder = await respond({ files });
      const fetchFrom = createRetainedFetch({ fetchTopic: link.fetch, clock, signal: forever });
      const getFrom = createGetFallback(createOwnAsk());
      const director = fetchFrom({ topicOf: (file) => `t/d/${file}`, fallback: getFrom("director") });
      expect(Buffer.from((await hasten(director("index.json", 100))) ?? [])).toEqual(files.get("director/index.json"));
      expect(await hasten(director("timestamp.json", 100))).toBeUndefined();
      expect(await director("2.root.json", 100)).toBeUndefined();
      expect(responder.requests).toHaveLength(2);
      const image = fetchFrom({ topicOf: (file) => `t/i/${file}`, fallback: getFrom("image") });
      await link.publish({ topic: "t/i/timestamp.json", payload: "here", retain: true });
      expect(Buffer.from((await image("timestamp.json", 100)) ?? []).toString()).toBe("here");
      expect(responder.requests).toHaveLength(2);
    });

    it("takes no file over its bound", async () => {
      await using _responder = await respond({ files: new Map([["image/timestamp.json", Buffer.alloc(101)]]) });
      const getFile = createGetFallback(createOwnAsk())("image");
      expect(await hasten(getFile("timestamp.json", 100, forever))).toBeUndefined();
    });

    it("says offline when it cannot even ask", async () => {
      await broker.stop();
      const getFile = createGetFallback(
        createAsk({ link, topics: topics.gateway("g-1"), clock: systemClock, random: systemRandom }),
      )("image");
      await expect(getFile("timestamp.json", 100, forever)).rejects.toMatchObject({ code: "offline" });
    });
  });
