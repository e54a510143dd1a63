// The guard for Node 26.3 and later is applied there alone, once, and leaves the events as they are.
import { Poller } from "@serialport/bindings-cpp/dist/poller.js";
import { afterEach, describe, expect, it, vi } from "vitest";
import { guardPoller, isAffected } from "../../../devices/serial/pollerGuard.ts";

const nativeEmit = Poller.prototype.emit;

describe("the poller guard", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each([
    ["24.21.0", false],
    ["26.2.9", false],
    ["26.3.0", true],
    ["26.10.0", true],
    ["27.0.0", true],
  ])("on Node %s: %s", (version, affected) => {
    expect(isAffected(version)).toBe(affected);
  });

  it("leaves the poller of an older Node alone", () => {
    expect(guardPoller("24.21.0")).toBe(false);
    expect(Poller.prototype.emit).toBe(nativeEmit);
  });

  it("follows each event with a callback that drains the microtasks, however often it is applied", () => {
    expect(guardPoller("26.3.0")).toBe(true);
    const guarded = Poller.prototype.emit;
    expect(guardPoller("26.3.0")).toBe(true);
    expect(Poller.prototype.emit).toBe(guarded);

    const immediate = vi.spyOn(globalThis, "setImmediate");
    const poller = Object.create(Poller.prototype) as Poller;
    const heard: unknown[] = [];
    poller.on("readable", (error) => heard.push(error));
    poller.emit("readable", null);
    expect(heard).toEqual([null]);
    expect(immediate).toHaveBeenCalledTimes(1);
  });
});
