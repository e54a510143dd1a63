// What a download promises on every broker we can start here: exactly the missing chunks, or a refusal.
import { createHash } from "node:crypto";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { limits } from "../../src/base/limits.ts";
import { type ChunkSink, fetchChunks } from "../../src/link/fetchChunks.ts";
import { publishBlob } from "../../src/link/publishBlob.ts";
import { createTopics } from "../../src/protocol/topics.ts";
import { brokerKinds } from "../support/brokerKinds.ts";
import type { Broker } from "../support/brokers.ts";
import { clearBlob } from "../support/clearBlob.ts";
import { openSpy, openTestLink, untilOffline, untilOnline } from "../support/links.ts";
import { createManualClock } from "../support/manualClock.ts";
import { createMemorySink } from "../support/memorySink.ts";
import { describeNeeding } from "../support/needs.ts";

for (const { name, start, protocol, missing } of brokerKinds)
  describeNeeding(missing, `a download over ${name}`, () => {
    const topics = createTopics();
    let broker: Broker;
    beforeEach(async () => {
      broker = await start();
    });
    afterEach(() => broker[Symbol.asyncDispose]());
    const open = (options: Parameters<typeof openTestLink>[1] = {}) =>
      openTestLink(broker.url, { protocol, ...options });

    it("carries a blob, and refuses it when a chunk is cut short, too long or gone", async () => {
      const clock = createManualClock();
      await using link = open({ clock });
      await untilOnline(link);
      const bytes = createHash("sha512").update("blob").digest().toString("hex").repeat(1500);
      const blob = await publishBlob(link, topics, Buffer.from(bytes));
      expect(blob.length).toBe(192_000);
      const fetch = (sink: ChunkSink): ReturnType<typeof fetchChunks> =>
        fetchChunks({ link, topics, clock }, blob, sink, new AbortController().signal);
      const whole = createMemorySink(blob.length);
      expect(await fetch(whole)).toBeUndefined();
      expect(Buffer.from(whole.bytes).toString()).toBe(bytes);
      const rest = createMemorySink(blob.length, [0, 2]);
      expect(await fetch(rest)).toBeUndefined();
      expect(rest.taken).toEqual([1]);

      const second = topics.blob(blob.sha256, 1);
      const forged = Buffer.alloc(limits.blob.chunkSizeBytes, 7);
      const cases = [
        { payload: forged.subarray(1), seen: `${second} has ${forged.length - 1} bytes` },
        { payload: Buffer.concat([forged, forged.subarray(0, 1)]), seen: `${second} has more` },
      ];
      for (const { payload, seen } of cases) {
        await link.publish({ topic: second, payload, retain: true });
        const refusal = { kind: "refused", rule: "delivery.hash", seen: expect.stringContaining(seen) };
        expect(await fetch(createMemorySink(blob.length))).toMatchObject(refusal);
      }
      await link.publish({ topic: second, payload: "", retain: true });
      const sink = createMemorySink(blob.length);
      const refused = fetch(sink);
      await expect.poll(() => sink.taken.length).toBe(2);
      // The first look sees that something came, every other one that nothing did.
      for (let attempt = 0; attempt < limits.blob.chunkAttempts + 2; attempt += 1) {
        await link.publish({ topic: "turn", payload: "" });
        await clock.advance(limits.blob.chunkTimeoutMs);
      }
      expect(await refused).toMatchObject({ rule: "delivery.missing", seen: expect.stringContaining("Chunk 1") });
      await clearBlob(link, topics, blob);
      await using spy = await openSpy(broker.url, "outstation/v1/blob/#");
      await spy.publish("outstation/v1/blob/end", "");
      await spy.until("outstation/v1/blob/end ");
      expect(spy.seen).toEqual(["outstation/v1/blob/end "]);
    });

    it("goes on with a download after the connection dropped in the middle", async () => {
      await using link = open();
      await untilOnline(link);
      const bytes = Buffer.alloc(limits.blob.chunkSizeBytes * 3, 1);
      const blob = await publishBlob(link, topics, bytes.subarray(0, limits.blob.chunkSizeBytes * 2));
      await clearBlob(link, topics, blob);
      const sink = createMemorySink(blob.length);
      const source = { link, topics, clock: systemClock };
      const fetching = fetchChunks(source, blob, sink, new AbortController().signal);
      await Promise.all([untilOffline(link), broker.stop()]);
      await broker.start();
      await untilOnline(link);
      await publishBlob(link, topics, bytes.subarray(0, limits.blob.chunkSizeBytes * 2));
      expect(await fetching).toBeUndefined();
      expect(sink.missing()).toEqual([]);
    });
  });
