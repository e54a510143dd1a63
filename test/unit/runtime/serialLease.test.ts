// A component's hold on a serial port: bytes, lines and timeouts over whatever chunks the driver delivers.
import { expect, test } from "vitest";
import { createSimulatedSerial, type SimulatedSerial } from "../../../devices/serial/simulated.ts";
import { limits } from "../../../src/base/limits.ts";
import { createSerialLease, type SerialLease } from "../../../src/runtime/lender/serialLease.ts";
import { createManualClock, settle, type ManualClock } from "../../support/manualClock.ts";

const { lineMaxBytes, receiveBufferBytes, writeMaxBytes } = limits.serial;

test("reads what has arrived, at most what is asked for, and keeps the rest", async () => {
  const { lease, send } = await start();
  send("abcdef");
  expect(await readText(lease, 4)).toBe("abcd");
  expect(await readText(lease, 4)).toBe("ef");
});

test.each([0, -1, receiveBufferBytes + 1])("refuses to read %i bytes at once", async (count) => {
  const { lease } = await start();
  await expect(lease.read(count, 0)).rejects.toMatchObject({ code: "invalid" });
});

test("puts a line together from chunks, whatever its ending", async () => {
  const { lease, send } = await start();
  const first = lease.readLine(undefined);
  for (const chunk of ["T=6", "1.", "42\r", "\nsecond\n\r\nthi"]) {
    send(chunk);
    await settle();
  }
  expect(await first).toBe("T=61.42");
  expect(await lease.readLine(undefined)).toBe("second");
  expect(await lease.readLine(undefined)).toBe("");
  const third = lease.readLine(undefined);
  send("rd\n");
  expect(await third).toBe("third");
});

test("takes a line of exactly the maximum, with either ending", async () => {
  const { lease, send } = await start();
  const longest = "x".repeat(lineMaxBytes);
  send(`${longest}\n${longest}\r\n`);
  expect(await lease.readLine(undefined)).toBe(longest);
  expect(await lease.readLine(undefined)).toBe(longest);
});

test("says once that a line was too long and goes on with the next, in one chunk or in many", async () => {
  const { lease, send } = await start();
  send(`${"x".repeat(lineMaxBytes + 1)}\nnext\n`);
  await expect(lease.readLine(undefined)).rejects.toMatchObject({ code: "invalid" });
  expect(await lease.readLine(undefined)).toBe("next");
  const overlong = lease.readLine(undefined);
  overlong.catch(() => undefined);
  for (let chunk = 0; chunk < 40; chunk++) {
    send("y".repeat(lineMaxBytes));
    await settle();
  }
  send("\nafter\n");
  await expect(overlong).rejects.toMatchObject({ code: "invalid" });
  expect(await lease.readLine(undefined)).toBe("after");
});

test("ends a wait at its timeout, and what comes later is there for the next", async () => {
  const { lease, send, clock } = await start();
  const waiting = lease.readLine(1000);
  waiting.catch(() => undefined);
  send("half");
  await clock.advance(999);
  send(" of it");
  await clock.advance(1);
  await expect(waiting).rejects.toMatchObject({ code: "timeout" });
  expect(clock.pending()).toEqual([]);
  send(" and the end\n");
  expect(await lease.readLine(1000)).toBe("half of it and the end");
});

test("a timeout of nothing looks at what is there", async () => {
  const { lease, send, clock } = await start();
  const empty = lease.read(10, 0);
  empty.catch(() => undefined);
  await clock.advance(0);
  await expect(empty).rejects.toMatchObject({ code: "timeout" });
  send("now");
  expect(await readText(lease, 10)).toBe("now");
});

test("lets one reader wait at a time", async () => {
  const { lease, send } = await start();
  const first = lease.readLine(undefined);
  await expect(lease.readLine(undefined)).rejects.toMatchObject({ code: "busy" });
  send("mine\n");
  expect(await first).toBe("mine");
});

test("writes what is granted and refuses what is not, or is too much", async () => {
  const { lease, heard } = await start();
  await lease.write(Buffer.from("READ"));
  expect(heard()).toBe("READ");
  await expect(lease.write(new Uint8Array(writeMaxBytes + 1))).rejects.toMatchObject({ code: "invalid" });
  const readOnly = await start("read");
  await expect(readOnly.lease.write(Buffer.from("x"))).rejects.toMatchObject({ code: "not-writable" });
  expect(readOnly.heard()).toBe("");
});

test("forgets what was received and not read", async () => {
  const { lease, send } = await start();
  send("old\nhalf");
  expect(await lease.readLine(undefined)).toBe("old");
  lease.discard();
  send("new\n");
  expect(await lease.readLine(undefined)).toBe("new");
});

test("tells that the device is lost, to a reader and to a writer", async () => {
  const { lease, device, lost } = await start();
  const reading = lease.readLine(undefined);
  reading.catch(() => undefined);
  device.unplug();
  await expect(reading).rejects.toMatchObject({ code: "disconnected" });
  expect(lost()).toBe(1);
  await expect(lease.write(Buffer.from("x"))).rejects.toMatchObject({ code: "disconnected" });
});

test("refuses a reader that waits when the lease is closed", async () => {
  const { lease, lost } = await start();
  const reading = lease.readLine(undefined);
  reading.catch(() => undefined);
  await lease.close();
  await expect(reading).rejects.toMatchObject({ code: "closed" });
  await expect(lease.read(1, undefined)).rejects.toMatchObject({ code: "closed" });
  expect(lost()).toBe(0);
});

interface Started {
  readonly lease: SerialLease;
  readonly clock: ManualClock;
  readonly device: SimulatedSerial;
  send(text: string): void;
  heard(): string;
  lost(): number;
}

async function start(access: "read" | "read-write" = "read-write"): Promise<Started> {
  const clock = createManualClock();
  let send = (_bytes: Uint8Array): void => {};
  let heard = "";
  let lost = 0;
  const device = createSimulatedSerial("probe", (toPort) => {
    send = toPort;
    return { receive: (bytes) => void (heard += Buffer.from(bytes).toString()), stop() {} };
  });
  const lease = createSerialLease(await device.open(), {
    access,
    clock,
    onLost: () => void (lost += 1),
    onDropped: () => {},
  });
  return { lease, clock, device, send: (text) => send(Buffer.from(text)), heard: () => heard, lost: () => lost };
}

async function readText(lease: SerialLease, maxBytes: number): Promise<string> {
  return Buffer.from(await lease.read(maxBytes, undefined)).toString();
}
