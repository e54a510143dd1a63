// What the link promises, on every broker we can start here: mosquitto with MQTT 5 and 3.1.1, and aedes.
import { afterEach, beforeEach, expect, it } from "vitest";
import { limits } from "../../src/base/limits.ts";
import { LinkError } from "../../src/link/link.ts";
import { describeNeeding } from "../support/needs.ts";
import { brokerKinds } from "../support/brokerKinds.ts";
import type { Broker } from "../support/brokers.ts";
import { openSpy, openTestLink, startLinkProcess, untilOffline, untilOnline } from "../support/links.ts";
import { createManualClock, settle } from "../support/manualClock.ts";

for (const { name, start, protocol, missing } of brokerKinds)
  describeNeeding(missing, `link on ${name}`, () => {
    let broker: Broker;
    beforeEach(async () => {
      broker = await start();
    });
    afterEach(() => broker[Symbol.asyncDispose]());
    const open = (options: Parameters<typeof openTestLink>[1] = {}) =>
      openTestLink(broker.url, { protocol, ...options });

    it("publishes its birth before anything else, after every connect", async () => {
      let births = 0;
      await using spy = await openSpy(broker.url);
      await using link = open({ birth: () => ({ topic: "state", payload: `online ${(births += 1)}` }) });
      const found: string[] = [];
      link.onOnline(async () => {
        const first = link.publish({ topic: "first", payload: "1" });
        const state = await link.fetch("state", { maxBytes: 100 });
        await first;
        found.push(Buffer.from(state).toString());
      });
      await spy.until("first 1");
      expect(spy.seen).toEqual(["state online 1", "first 1"]);
      await expect.poll(() => found).toEqual(["online 1"]);

      await Promise.all([untilOffline(link), broker.stop()]);
      await broker.start();
      await untilOnline(link);
      await expect.poll(() => found).toEqual(["online 1", "online 2"]);
    });

    it("leaves its will when its process is killed, and its goodbye when it is closed", async () => {
      await using spy = await openSpy(broker.url);
      const child = await startLinkProcess(broker.url, protocol);
      await spy.until("state online");
      child.kill("SIGKILL");
      await spy.until("state offline");

      const link = open({
        will: { topic: "state", payload: "lost" },
        goodbye: () => ({ topic: "state", payload: "goodbye" }),
      });
      await untilOnline(link);
      await link.close();
      await spy.until("state goodbye");
      await spy.publish("marker", "1");
      await spy.until("marker 1");
      expect(spy.seen).not.toContain("state lost");
      await expect(link.publish({ topic: "late", payload: "" })).rejects.toMatchObject({ code: "closed" });
    });

    it("subscribes again after the broker was restarted", async () => {
      await using link = open();
      const received: string[] = [];
      const arrived = Promise.withResolvers<void>();
      await link.subscribe("orders/+", (topic, payload) => {
        received.push(`${topic} ${Buffer.from(payload).toString()}`);
        arrived.resolve();
      });
      await untilOnline(link);
      await Promise.all([untilOffline(link), broker.stop()]);
      await broker.start();
      await untilOnline(link);
      await using spy = await openSpy(broker.url);
      await spy.publish("orders/7", "go");
      await arrived.promise;
      expect(received).toEqual(["orders/7 go"]);
    });

    it("rejects every publish under way or waiting when the connection is lost", async () => {
      await using link = open();
      await untilOnline(link);
      broker.pause();
      const outcomes = Array.from({ length: limits.link.publishWindow * 2 }, (_, n) =>
        link.publish({ topic: "t", payload: String(n) }).catch((error: unknown) => error),
      );
      await broker.stop();
      for (const outcome of await Promise.all(outcomes))
        expect(outcome).toMatchObject({ code: "offline", retryable: true });
      await expect(link.publish({ topic: "t", payload: "" })).rejects.toBeInstanceOf(LinkError);
    });

    it("fetches retained documents, also many at once, and leaves no subscription behind", async () => {
      await using spy = await openSpy(broker.url);
      await spy.publish("doc", "content", true);
      await using link = open();
      const marked = Promise.withResolvers<void>();
      await link.subscribe("marker", () => marked.resolve());
      await untilOnline(link);
      const fetched = await Promise.all([1, 2, 3].map(() => link.fetch("doc", { maxBytes: 100 })));
      expect(fetched.map((bytes) => Buffer.from(bytes).toString())).toEqual(["content", "content", "content"]);
      await expect(link.fetch("doc", { maxBytes: 3 })).rejects.toMatchObject({ code: "too-large" });
      await expect(link.fetch("none", { maxBytes: 9, timeoutMs: 50 })).rejects.toMatchObject({ code: "timeout" });
      const abort = new AbortController();
      const aborted = link.fetch("none", { maxBytes: 9, signal: abort.signal });
      abort.abort(new Error("enough"));
      await expect(aborted).rejects.toThrow("enough");

      // The link publishes too, so that its unsubscribes have arrived before the spy's messages do.
      await link.publish({ topic: "asked", payload: "" });
      const before = link.traffic.in.other;
      await spy.publish("none", "unwanted");
      await spy.publish("doc", "unwanted");
      await spy.publish("marker", "1");
      await marked.promise;
      expect(link.traffic.in.other - before).toBe("marker1".length);
    });

    it("hands a fetched retained copy to the fetch, not to the standing handler it would wake", async () => {
      await using spy = await openSpy(broker.url);
      await spy.publish("timestamp", "v1", true);
      await using link = open();
      const nudges: string[] = [];
      const last = Promise.withResolvers<void>();
      await link.subscribe("timestamp", async (topic, payload) => {
        const text = Buffer.from(payload).toString();
        nudges.push(text);
        await link.fetch(topic, { maxBytes: 100 });
        if (text === "v3") last.resolve();
      });
      await untilOnline(link);
      await spy.publish("timestamp", "v2", true);
      await spy.publish("timestamp", "v3", true);
      await last.promise;
      expect(nudges).toEqual(["v1", "v2", "v3"]);
    });

    it("does not weaken a standing subscription by a fetch of the same topic", async () => {
      await using spy = await openSpy(broker.url);
      await spy.publish("orders", "old", true);
      const link = open();
      await link.subscribe("orders", () => undefined);
      await untilOnline(link);
      await link.fetch("orders", { maxBytes: 100 });
      await link.close();
      await spy.publish("orders", "new");
      await using again = await openSpy(broker.url, "", "gateway-1", false);
      await again.until("orders new");
      expect(again.seen).toContain("orders new");
    });

    it("drops a subscription that an earlier run left in its session", async () => {
      const earlier = await openSpy(broker.url, "left/behind", "gateway-1", false);
      await earlier[Symbol.asyncDispose]();
      await using spy = await openSpy(broker.url);
      await using link = open();
      const marked = Promise.withResolvers<void>();
      await link.subscribe("marker", () => marked.resolve());
      await untilOnline(link);
      await spy.publish("left/behind", "1");
      await expect.poll(() => link.traffic.in.other).toBe("left/behind1".length);
      await link.publish({ topic: "asked", payload: "" });
      await spy.publish("left/behind", "2");
      await spy.publish("marker", "3");
      await marked.promise;
      expect(link.traffic.in.other).toBe("left/behind1marker3".length);
    });

    it("acknowledges a message only after its handler finished: a killed gateway gets it again", async () => {
      await using spy = await openSpy(broker.url);
      const child = await startLinkProcess(broker.url, protocol);
      await spy.publish("commands/1", "go");
      await spy.until("progress received");
      child.kill("SIGKILL");
      await spy.until("state offline");
      await using again = await openSpy(broker.url, "", "gateway-1", false);
      await again.until("commands/1 go");
      expect(again.seen).toEqual(["commands/1 go"]);
    });

    it("acknowledges a message whose handler failed, and goes on", async () => {
      await using spy = await openSpy(broker.url);
      await using link = open();
      const handled: string[] = [];
      const second = Promise.withResolvers<void>();
      await link.subscribe("commands/+", (topic) => {
        handled.push(topic);
        if (topic === "commands/2") second.resolve();
        throw new Error("broken handler");
      });
      await untilOnline(link);
      await spy.publish("commands/1", "");
      await spy.publish("commands/2", "");
      await second.promise;
      await link.publish({ topic: "x", payload: "" });
      await link.close();
      await using again = await openSpy(broker.url, "", "gateway-1", false);
      await spy.publish("commands/3", "");
      await again.until("commands/3 ");
      expect(again.seen).toEqual(["commands/3 "]);
    });

    it("does not flap when another client takes its session", async () => {
      const clock = createManualClock();
      let takenOver = 0;
      await using link = open({
        clock,
        random: { uuid: () => "", fraction: () => 0 },
        onTakenOver: () => (takenOver += 1),
      });
      await untilOnline(link);
      const waits: number[] = [];
      for (let round = 0; round < 3; round += 1) {
        const offline = untilOffline(link);
        const other = await openSpy(broker.url, "", "gateway-1", false);
        await offline;
        await settle();
        const waitMs = Math.max(...clock.pending());
        waits.push(waitMs);
        const online = untilOnline(link);
        await clock.advance(waitMs);
        await online;
        await other[Symbol.asyncDispose]();
      }
      expect(waits).toEqual([0.5, 1, 2].map((times) => limits.link.reconnectMinMs * times));
    });

    it("counts the bytes of its socket, over every connection", async () => {
      await using link = open();
      await untilOnline(link);
      await link.publish({ topic: "t", payload: Buffer.alloc(10_000) });
      const first = link.traffic.socket;
      expect(first.out).toBeGreaterThan(10_000);
      expect(first.in).toBeGreaterThan(4);
      await Promise.all([untilOffline(link), broker.stop()]);
      await broker.start();
      await untilOnline(link);
      expect(link.traffic.socket.out).toBeGreaterThan(first.out);
      expect(link.traffic.socket.in).toBeGreaterThan(first.in);
    });
  });
