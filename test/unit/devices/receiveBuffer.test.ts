// The receive buffer keeps the newest bytes in order, counts what it dropped and wakes one reader.
import { describe, expect, it } from "vitest";
import { DeviceError } from "../../../devices/error.ts";
import { createReceiveBuffer } from "../../../devices/serial/receiveBuffer.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe("a receive buffer", () => {
  it("gives back what came in, in order, across the end of its ring", async () => {
    const buffer = createReceiveBuffer(4);
    buffer.push(bytes(1, 2, 3));
    expect(await buffer.read(2)).toEqual(bytes(1, 2));
    buffer.push(bytes(4, 5, 6));
    expect(await buffer.read(10)).toEqual(bytes(3, 4, 5, 6));
    expect(buffer.overrunBytes).toBe(0);
  });

  it("drops the oldest bytes when it is full and counts them", async () => {
    const buffer = createReceiveBuffer(4);
    buffer.push(bytes(1, 2, 3));
    buffer.push(bytes(4, 5));
    expect(buffer.overrunBytes).toBe(1);
    expect(await buffer.read(10)).toEqual(bytes(2, 3, 4, 5));
    buffer.push(bytes(1, 2, 3, 4, 5, 6));
    expect(buffer.overrunBytes).toBe(3);
    expect(await buffer.read(10)).toEqual(bytes(3, 4, 5, 6));
  });

  it("wakes the reader that waits", async () => {
    const buffer = createReceiveBuffer();
    const reading = buffer.read(10);
    buffer.push(bytes(7));
    expect(await reading).toEqual(bytes(7));
  });

  it("lets one read wait at a time", async () => {
    const buffer = createReceiveBuffer();
    const first = buffer.read(1);
    await expect(buffer.read(1)).rejects.toMatchObject({ code: "busy" });
    buffer.push(bytes(1));
    expect(await first).toEqual(bytes(1));
  });

  it("rejects an aborted read with the signal's reason and serves the next one", async () => {
    const buffer = createReceiveBuffer();
    const abort = new AbortController();
    const reading = buffer.read(1, abort.signal);
    abort.abort(new Error("enough"));
    await expect(reading).rejects.toThrow("enough");
    await expect(buffer.read(1, abort.signal)).rejects.toThrow("enough");
    buffer.push(bytes(1));
    expect(await buffer.read(1)).toEqual(bytes(1));
  });

  it("lets go of a signal whose read is over: aborting it later disturbs nobody", async () => {
    const buffer = createReceiveBuffer();
    const abort = new AbortController();
    const first = buffer.read(1, abort.signal);
    buffer.push(bytes(1));
    await first;
    const second = buffer.read(1);
    abort.abort(new Error("too late"));
    buffer.push(bytes(2));
    expect(await second).toEqual(bytes(2));
  });

  it("still gives what was received before a disconnect, then tells of it", async () => {
    const buffer = createReceiveBuffer();
    buffer.push(bytes(1));
    buffer.disconnect(new DeviceError("disconnected", "gone"));
    expect(await buffer.read(1)).toEqual(bytes(1));
    await expect(buffer.read(1)).rejects.toMatchObject({ code: "disconnected" });
  });

  it("rejects every read once it is closed, also the one that waits", async () => {
    const buffer = createReceiveBuffer();
    const reading = buffer.read(1);
    buffer.close();
    await expect(reading).rejects.toMatchObject({ code: "closed" });
    buffer.push(bytes(1));
    buffer.close();
    await expect(buffer.read(1)).rejects.toMatchObject({ code: "closed" });
  });

  it.each([0, -1, 1.5, Number.NaN])("refuses to read %d bytes", async (count) => {
    await expect(createReceiveBuffer().read(count)).rejects.toMatchObject({ code: "invalid" });
  });
});
