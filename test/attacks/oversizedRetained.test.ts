// Attack: a retained message over our bound lies on a topic the gateway reads; on MQTT 3.1.1 no broker holds it back.
import { describe, expect, it } from "vitest";
import { limits } from "../../src/base/limits.ts";
import { createPacketCut } from "../../src/link/packetCut.ts";
import { startAedes } from "../support/brokers.ts";
import { openSpy, openTestLink, untilOnline } from "../support/links.ts";

const { packetMaxBytes } = limits.link;

describe("an oversized retained message", () => {
  it("is refused by who asks for it, and keeps neither the link nor other messages from it", async () => {
    await using broker = await startAedes();
    await using spy = await openSpy(broker.url, "out");
    await spy.publish("in", Buffer.alloc(2 * packetMaxBytes, "x"), true);
    await spy.publish("other", "as it was", true);
    const heard: number[] = [];
    await using link = openTestLink(broker.url, { protocol: "3.1.1" });
    void link.subscribe("in", (_topic, payload) => void heard.push(payload.length));
    await untilOnline(link);
    await expect(link.fetch("in", { maxBytes: 1024 })).rejects.toMatchObject({ code: "too-large" });
    expect(await link.fetch("other", { maxBytes: 1024 })).toEqual(Buffer.from("as it was"));
    await link.publish({ topic: "out", payload: "still here" });
    await spy.until("out still here");
    expect(link.online).toBe(true);
    expect(heard.every((length) => length <= packetMaxBytes)).toBe(true);
  });

  it.each([1, 2, 3, 7, 1000])("is cut wherever the network parts it, every %d bytes", (step) => {
    const cut = createPacketCut(300, 1000);
    const small = [0x32, 2, 1, 2];
    const large = [0x30, (400 % 128) | 128, 3, ...Buffer.alloc(400, 7)];
    const endless = [0x30, (2000 % 128) | 128, 15, ...Buffer.alloc(2000, 9)];
    const bytes = Uint8Array.from([...small, ...large, 0xd0, 0, ...large, ...small, ...endless]);
    const seen: number[] = [];
    for (let at = 0; at < bytes.length; at += step) seen.push(...cut(bytes.subarray(at, at + step)));
    const rest = [0x30, (300 % 128) | 128, 2, ...Buffer.alloc(300, 7)];
    expect(seen).toEqual([...small, ...rest, 0xd0, 0, ...rest, ...small, ...endless]);
  });
});
