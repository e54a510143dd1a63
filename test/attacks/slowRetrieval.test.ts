// Attack: the broker sends a byte at a time, or stops in the middle of a packet and keeps the connection.
import { connect, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listen } from "../../demo/parts/gate.ts";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { publishBlob } from "../../src/link/publishBlob.ts";
import { isRefusal } from "../../src/protocol/refusal.ts";
import { createTopics } from "../../src/protocol/topics.ts";
import { startAedes } from "../support/brokers.ts";
import { openDelivery } from "../support/delivery.ts";
import { createMemoryDisk } from "../support/memoryDisk.ts";
import { openTestLink, untilOffline, untilOnline } from "../support/links.ts";

const topics = createTopics("t");
/** The gateway's waits are for minutes; here they pass this much faster. */
const hurry = 50;
const clock: Clock = {
  ...systemClock,
  after: (ms, task) => systemClock.after(ms / hurry, task),
  sleep: (ms, signal) => systemClock.sleep(ms / hurry, signal),
};

const cleanup = new AsyncDisposableStack();
let brokerUrl = "";

beforeAll(async () => {
  brokerUrl = cleanup.use(await startAedes()).url;
});
afterAll(() => cleanup.disposeAsync());

interface Narrows extends AsyncDisposable {
  readonly url: string;
  /** From now on each connection passes so many bytes more towards the gateway at full speed, then as `then` says. */
  narrow(bytes: number, then: "stops" | "drips"): void;
  widen(): void;
}

async function startNarrows(): Promise<Narrows> {
  const sockets = new Set<Socket>();
  let [left, then] = [Number.MAX_SAFE_INTEGER, "stops"];
  const server = createServer((gateway) => {
    const broker = connect(Number(new URL(brokerUrl).port), "127.0.0.1");
    for (const [socket, other] of [
      [gateway, broker],
      [broker, gateway],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true).on("error", () => other.destroy());
      socket.on("close", () => (sockets.delete(socket), other.destroy()));
    }
    gateway.pipe(broker);
    broker.on("data", (bytes: Buffer) => {
      const fast = bytes.subarray(0, left);
      left -= fast.length;
      gateway.write(fast);
      if (then === "stops") return;
      // A byte a write, and no more than one before the next of the broker's.
      if (bytes.length > fast.length) gateway.write(bytes.subarray(fast.length, fast.length + 1));
    });
  });
  const url = `mqtt://127.0.0.1:${await listen(server)}`;
  return {
    url,
    narrow: (bytes, how) => {
      left = bytes;
      then = how;
    },
    widen: () => {
      left = Number.MAX_SAFE_INTEGER;
      for (const socket of sockets) socket.destroy();
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

describe("slow retrieval", { timeout: 60_000 }, () => {
  it.each([
    ["stops", 0],
    ["stops", 5],
    ["stops", 70_000],
    ["drips", 0],
    ["drips", 5],
    ["drips", 70_000],
  ] as const)("from a broker that %s after %d bytes is found out, and goes on elsewhere", async (how, passed) => {
    await using operator = openTestLink(brokerUrl, { protocol: "3.1.1", clientId: "operator" });
    await untilOnline(operator);
    const bytes = Buffer.alloc(200_000, "component");
    const blob = await publishBlob(operator, topics, bytes);
    await using narrows = await startNarrows();
    await using link = openTestLink(narrows.url, { protocol: "3.1.1", clock });
    await untilOnline(link);
    narrows.narrow(passed, how);
    const offline = untilOffline(link);
    const disk = createMemoryDisk();
    const { fetchBlob } = await openDelivery({ disk, directory: "/downloads", link, root: "t", clock });
    const fetching = fetchBlob(blob);
    await offline;
    await expect(link.fetch("t/image/timestamp.json", { maxBytes: 1000 })).rejects.toMatchObject({ code: "offline" });
    narrows.widen();
    const fetched = await fetching;
    if (isRefusal(fetched)) throw new Error(fetched.seen);
    expect(Buffer.compare(disk.files.get(fetched.path) ?? Buffer.of(), bytes)).toBe(0);
  });
});
