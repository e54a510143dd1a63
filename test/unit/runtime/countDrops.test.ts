// Drops of the hardware: each is told once, with the first thing that is taken after it.
import { expect, test } from "vitest";
import type { SerialPort } from "../../../devices/serial/serial.ts";
import type { UdpSocket } from "../../../devices/udp/udp.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { tellDrops } from "../../../src/runtime/lender/countDrops.ts";
import { createSerialLease } from "../../../src/runtime/lender/serialLease.ts";

test("datagrams that a socket dropped are told once", async () => {
  const told: [string, number][] = [];
  const counted = { droppedDatagrams: 3, receive: async () => [], take: () => [] };
  const socket = tellDrops(counted as unknown as UdpSocket, (what, count) => void told.push([what, count]));
  await socket.receive(1);
  socket.take(1);
  counted.droppedDatagrams = 5;
  socket.take(1);
  expect(told).toEqual([
    ["datagram", 3],
    ["datagram", 2],
  ]);
});

test("bytes that a serial port lost are told once, also when the read after it fails", async () => {
  const told: [string, number][] = [];
  const port = { overrunBytes: 0, read: async () => Buffer.from("ab") };
  const lease = createSerialLease(port as unknown as SerialPort, {
    access: "read",
    clock: systemClock,
    onLost: () => {},
    onDropped: (what, count) => void told.push([what, count]),
  });
  await lease.read(2, undefined);
  port.overrunBytes = 7;
  await lease.read(2, undefined);
  port.overrunBytes = 9;
  port.read = () => Promise.reject(new Error("gone"));
  await expect(lease.read(2, undefined)).rejects.toThrow("gone");
  expect(told).toEqual([
    ["serial-byte", 7],
    ["serial-byte", 2],
  ]);
});
