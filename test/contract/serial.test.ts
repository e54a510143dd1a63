// What every serial driver keeps to, run on the simulation and on a pseudo-terminal of the running kernel.
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { openLinuxSerial } from "../../devices/serial/linux.ts";
import type { SerialPort } from "../../devices/serial/serial.ts";
import { describeNeeding } from "../support/needs.ts";
import { runOnPtyPair, socatMissing, startPtyRig, startSimulatedRig } from "../support/serialRigs.ts";
import type { SerialRig } from "../support/serialRigs.ts";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

async function readText(port: SerialPort, length: number): Promise<string> {
  let all = "";
  while (all.length < length) all += text(await port.read(length - all.length));
  return all;
}

describe("a serial port of the simulation", () => {
  keepsTheContract(startSimulatedRig);
});

describeNeeding(socatMissing, "a serial port on a pseudo-terminal", () => {
  keepsTheContract(startPtyRig);
});

describe("a serial port of the operating system", () => {
  const framing = { baudRate: 9600, dataBits: 8, stopBits: 1, parity: "none" } as const;

  it("is missing when nothing is plugged in", async () => {
    await expect(openLinuxSerial("/dev/serial/by-id/nothing-here", framing)).rejects.toMatchObject({ code: "missing" });
  });

  it("is unsupported when the path is no serial port", async () => {
    await expect(openLinuxSerial("/dev/null", framing)).rejects.toMatchObject({ code: "unsupported" });
  });
});

describeNeeding(socatMissing, "a serial port of the operating system on a pseudo-terminal", () => {
  it("does not stand still in a program that is idle but for it", async () => {
    const program = join(import.meta.dirname, "../support/serialPingPong.ts");
    expect(await runOnPtyPair(program)).toBe("200 rounds\n");
  });

  it("rejects a write that stands still when the port is closed, and refuses more before that", async () => {
    await using rig = await startPtyRig();
    await using port = await rig.open();
    rig.freeze();
    const writing = Promise.allSettled([port.write(new Uint8Array(60_000)), port.write(new Uint8Array(1))]);
    await expect(port.write(new Uint8Array(60_000))).rejects.toMatchObject({ code: "busy" });
    await port.close();
    const closed = { status: "rejected", reason: expect.objectContaining({ code: "closed" }) };
    expect(await writing).toEqual([closed, closed]);
  });
});

function keepsTheContract(start: () => Promise<SerialRig>): void {
  const withRig = async (body: (rig: SerialRig, port: SerialPort) => Promise<void>): Promise<void> => {
    await using rig = await start();
    await using port = await rig.open();
    await body(rig, port);
  };

  it("carries bytes both ways unchanged, whatever they are", () =>
    withRig(async (rig, port) => {
      const every = Uint8Array.from({ length: 256 }, (_, value) => value);
      await port.write(every);
      expect(await rig.heard(256)).toEqual(Buffer.from(every));
      rig.send(every);
      let read = Buffer.alloc(0);
      while (read.length < 256) read = Buffer.concat([read, await port.read(64)]);
      expect(read).toEqual(Buffer.from(every));
    }));

  it("resolves a read with what is there instead of waiting for all that was asked", () =>
    withRig(async (rig, port) => {
      const reading = port.read(1000);
      rig.send(Buffer.from("T=61.42\r\n"));
      expect((await reading).length).toBeGreaterThan(0);
    }));

  it("never gives more than was asked for", () =>
    withRig(async (rig, port) => {
      rig.send(Buffer.from("abcdef"));
      expect((await port.read(2)).length).toBeLessThanOrEqual(2);
    }));

  it("keeps the order of writes that do not wait for each other", () =>
    withRig(async (rig, port) => {
      await Promise.all(["one ", "two ", "three"].map((word) => port.write(Buffer.from(word))));
      expect(String(await rig.heard(13))).toBe("one two three");
    }));

  it("lets the caller reuse its buffer as soon as write has returned", () =>
    withRig(async (rig, port) => {
      const before = port.write(Buffer.alloc(32_768, "-"));
      const bytes = Buffer.from("first");
      const writing = port.write(bytes);
      bytes.fill("x");
      await Promise.all([before, writing]);
      expect((await rig.heard(32_773)).subarray(-5).toString()).toBe("first");
    }));

  it("is busy for a second open, and free again after close", () =>
    withRig(async (rig, port) => {
      await expect(rig.open()).rejects.toMatchObject({ code: "busy" });
      await port.close();
      await using again = await rig.open();
      rig.send(Buffer.from("hello"));
      expect(await readText(again, 5)).toBe("hello");
    }));

  it("lets one read wait at a time", () =>
    withRig(async (rig, port) => {
      const first = port.read(10);
      await expect(port.read(10)).rejects.toMatchObject({ code: "busy" });
      rig.send(Buffer.from("x"));
      expect(text(await first)).toBe("x");
    }));

  it("gives up a read when its signal says so, and loses nothing by it", () =>
    withRig(async (rig, port) => {
      const abort = new AbortController();
      const reading = port.read(10, abort.signal);
      abort.abort(new Error("too late"));
      const next = port.read(10);
      await expect(reading).rejects.toThrow("too late");
      rig.send(Buffer.from("x"));
      expect(text(await next)).toBe("x");
    }));

  it("drops the oldest bytes that nobody reads and counts them", () =>
    withRig(async (rig, port) => {
      rig.send(Buffer.from(`${"old".repeat(1000)}${"-".repeat(65_536 - 4)}last`));
      await vi.waitFor(() => expect(port.overrunBytes).toBe(3000), { timeout: 10_000 });
      const kept = await readText(port, 65_536);
      expect(kept.startsWith("-")).toBe(true);
      expect(kept.endsWith("last")).toBe(true);
    }));

  it("refuses a write that is larger than it ever takes", () =>
    withRig(async (_rig, port) => {
      await expect(port.write(new Uint8Array(65_537))).rejects.toMatchObject({ code: "invalid" });
    }));

  it("refuses a read of nothing", () =>
    withRig(async (_rig, port) => {
      await expect(port.read(0)).rejects.toMatchObject({ code: "invalid" });
    }));

  it("tells the waiting read and every later call that the device went away", () =>
    withRig(async (rig, port) => {
      const reading = port.read(10);
      await Promise.all([expect(reading).rejects.toMatchObject({ code: "disconnected" }), rig.unplug()]);
      await expect(port.read(10)).rejects.toMatchObject({ code: "disconnected" });
      await expect(port.write(Buffer.from("x"))).rejects.toMatchObject({ code: "disconnected" });
      await expect(rig.open()).rejects.toMatchObject({ code: "missing" });
    }));

  it("rejects the waiting read and every later call once it is closed", () =>
    withRig(async (_rig, port) => {
      const reading = port.read(10);
      await Promise.all([expect(reading).rejects.toMatchObject({ code: "closed" }), port.close()]);
      await expect(port.read(10)).rejects.toMatchObject({ code: "closed" });
      await expect(port.write(Buffer.from("x"))).rejects.toMatchObject({ code: "closed" });
      await port.close();
    }));

  it("says closed, not disconnected, when it was closed after the device went away", () =>
    withRig(async (rig, port) => {
      const reading = port.read(10);
      await Promise.all([expect(reading).rejects.toMatchObject({ code: "disconnected" }), rig.unplug()]);
      await port.close();
      await expect(port.read(10)).rejects.toMatchObject({ code: "closed" });
    }));
}
