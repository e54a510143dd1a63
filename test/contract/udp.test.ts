// What a UDP socket keeps to, on the loopback of the running kernel, for both families.
import { isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { openUdp } from "../../devices/udp/dgram.ts";
import type { UdpAddress } from "../../devices/udp/udp.ts";
import { describeNeeding } from "../support/needs.ts";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some((one) => isIPv6(one.address)));

const families = [
  { family: "ipv4", address: "127.0.0.1", port: 0 },
  { family: "ipv6", address: "::1", port: 0 },
] as const;

const [ipv4, ipv6] = families;
describe("a UDP socket on IPv4", () => {
  keepsTheContract(ipv4);
});
describeNeeding(hasIpv6 ? undefined : "this machine has no IPv6 address", "a UDP socket on IPv6", () => {
  keepsTheContract(ipv6);
});

function keepsTheContract(loopback: UdpAddress): void {
  it("carries datagrams with where they came from", async () => {
    await using a = await openUdp(loopback);
    await using b = await openUdp(loopback);
    expect(a.local.port).toBeGreaterThan(0);
    const receiving = b.receive(10);
    await a.send(Buffer.from("hello"), b.local);
    const [datagram] = await receiving;
    expect(text(datagram?.bytes ?? new Uint8Array())).toBe("hello");
    expect(datagram?.from).toEqual(a.local);
  });

  it("carries an empty datagram and the largest allowed one", async () => {
    await using a = await openUdp(loopback);
    await using b = await openUdp(loopback);
    await a.send(new Uint8Array(0), b.local);
    await a.send(new Uint8Array(1472), b.local);
    const sizes: number[] = [];
    while (sizes.length < 2) sizes.push(...(await b.receive(1)).map((datagram) => datagram.bytes.length));
    expect(sizes).toEqual([0, 1472]);
  });

  it("gives at most as many as were asked for, and without waiting what is there", async () => {
    await using a = await openUdp(loopback);
    await using b = await openUdp(loopback);
    expect(b.take(10)).toEqual([]);
    const receiving = b.receive(1);
    for (const word of ["1", "2", "3"]) await a.send(Buffer.from(word), b.local);
    const taken = [...(await receiving)];
    expect(taken).toHaveLength(1);
    await vi.waitFor(() => {
      taken.push(...b.take(1));
      expect(taken).toHaveLength(3);
    });
    expect(taken.map((datagram) => text(datagram.bytes))).toEqual(["1", "2", "3"]);
  });

  it("drops the oldest datagrams that nobody receives and counts them", async () => {
    await using a = await openUdp(loopback);
    await using b = await openUdp(loopback);
    for (let number = 0; number < 300; number += 1) {
      await a.send(Buffer.from(String(number)), b.local);
      // The receiver gets its turn: what the kernel itself has no room for is nobody's to count.
      await setImmediate();
    }
    await vi.waitFor(() => expect(b.droppedDatagrams).toBe(44));
    const kept = b.take(1000);
    expect(kept).toHaveLength(256);
    expect(text(kept[0]?.bytes ?? new Uint8Array())).toBe("44");
  });

  it("is busy when the port is bound", async () => {
    await using a = await openUdp(loopback);
    await expect(openUdp(a.local)).rejects.toMatchObject({ code: "busy" });
    await a.close();
    await using again = await openUdp(a.local);
    expect(again.local).toEqual(a.local);
  });

  it("gives up a receive when its signal says so, and loses nothing by it", async () => {
    await using a = await openUdp(loopback);
    await using b = await openUdp(loopback);
    const abort = new AbortController();
    const receiving = b.receive(1, abort.signal);
    abort.abort(new Error("too late"));
    await expect(receiving).rejects.toThrow("too late");
    await expect(b.receive(1, abort.signal)).rejects.toThrow("too late");
    await a.send(Buffer.from("x"), b.local);
    expect(await b.receive(1)).toHaveLength(1);
  });

  it("rejects the waiting receive and every later call once it is closed", async () => {
    const socket = await openUdp(loopback);
    const receiving = socket.receive(1);
    await Promise.all([expect(receiving).rejects.toMatchObject({ code: "closed" }), socket.close()]);
    await expect(socket.receive(1)).rejects.toMatchObject({ code: "closed" });
    expect(() => socket.take(1)).toThrow(expect.objectContaining({ code: "closed" }));
    await expect(socket.send(Buffer.from("x"), socket.local)).rejects.toMatchObject({ code: "closed" });
    await socket.close();
  });

  it("refuses what can never be sent", async () => {
    await using socket = await openUdp(loopback);
    const other = families.find((one) => one.family !== loopback.family);
    const send = (bytes: number, to: Partial<UdpAddress>): Promise<void> =>
      socket.send(new Uint8Array(bytes), { ...socket.local, ...to });
    await expect(send(1473, {})).rejects.toMatchObject({ code: "invalid" });
    await expect(send(1, { port: 0 })).rejects.toMatchObject({ code: "invalid" });
    await expect(send(1, { address: "localhost" })).rejects.toMatchObject({ code: "invalid" });
    await expect(send(1, { ...other, port: 9 })).rejects.toMatchObject({ code: "invalid" });
  });

  it.each([0, -1, 0.5])("refuses to receive %d datagrams", async (count) => {
    await using socket = await openUdp(loopback);
    await expect(socket.receive(count)).rejects.toMatchObject({ code: "invalid" });
  });
}

it("does not bind an address that is not this machine's, nor a name", async () => {
  await expect(openUdp({ family: "ipv4", address: "192.0.2.1", port: 0 })).rejects.toMatchObject({ code: "invalid" });
  await expect(openUdp({ family: "ipv4", address: "localhost", port: 0 })).rejects.toMatchObject({ code: "invalid" });
  await expect(openUdp({ family: "ipv6", address: "127.0.0.1", port: 0 })).rejects.toMatchObject({ code: "invalid" });
});
