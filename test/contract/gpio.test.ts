// What every GPIO driver keeps to, run on the simulation and on a kernel in memory that decodes the real structures.
import { describe, expect, it, vi } from "vitest";
import type { Edge, GpioLine } from "../../devices/gpio/gpio.ts";
import { createGpioDriver } from "../../devices/gpio/linux/line.ts";
import { createSimulatedGpio } from "../../devices/gpio/simulated.ts";
import { FakeGpioKernel } from "../support/fakeGpioKernel.ts";
import { createManualClock } from "../support/manualDeviceClock.ts";

interface GpioRig {
  open(): Promise<GpioLine>;
  /** The level at the far end: a hand on the input, or what the output switches. */
  drive(active: boolean): void;
  level(): boolean;
  advance(ms: number): void;
}

function startSimulation(direction: "in" | "out"): GpioRig {
  const clock = createManualClock();
  const part = createSimulatedGpio("door", { direction, clock, record() {} });
  return { open: part.open, drive: part.press, level: () => part.active, advance: clock.advance };
}

function startFakeKernel(direction: "in" | "out"): GpioRig {
  const clock = createManualClock();
  const kernel = new FakeGpioKernel(clock.monotonicNs);
  const [line] = kernel.addChip("/dev/gpiochip0", "pinctrl-bcm2835", ["GPIO4"]);
  if (line === undefined) throw new Error("the fake chip has no line");
  const driver = createGpioDriver(kernel, clock.monotonicNs);
  const settings = { direction, activeLow: false, bias: "none", debounceUs: 0 } as const;
  return {
    open: () => driver.open("door", { line: "GPIO4" }, settings),
    drive: (active) => kernel.drive(line, active),
    level: () => line.level,
    advance: clock.advance,
  };
}

describe.each([
  { name: "the simulation", start: startSimulation },
  { name: "a kernel in memory", start: startFakeKernel },
])("a GPIO line on $name", ({ start }) => {
  it("reads the level of an input", async () => {
    const rig = start("in");
    await using line = await rig.open();
    expect(await line.read()).toBe(false);
    rig.drive(true);
    expect(await line.read()).toBe(true);
  });

  it("switches an output and reads back what it switched", async () => {
    const rig = start("out");
    await using line = await rig.open();
    expect(rig.level()).toBe(false);
    await line.write(true);
    expect(rig.level()).toBe(true);
    expect(await line.read()).toBe(true);
    await line.write(false);
    expect(rig.level()).toBe(false);
  });

  it("starts an output inactive at each open", async () => {
    const rig = start("out");
    const line = await rig.open();
    await line.write(true);
    await line.close();
    await using again = await rig.open();
    expect(rig.level()).toBe(false);
    expect(await again.read()).toBe(false);
  });

  it("is busy for a second open, and free again after close", async () => {
    const rig = start("in");
    const line = await rig.open();
    await expect(rig.open()).rejects.toMatchObject({ code: "busy" });
    await line.close();
    await using again = await rig.open();
    expect(await again.read()).toBe(false);
  });

  it("refuses to write an input and to watch an output", async () => {
    await using input = await start("in").open();
    await expect(input.write(true)).rejects.toMatchObject({ code: "wrong-direction" });
    await using output = await start("out").open();
    expect(() => output.watch("both", () => {})).toThrow(expect.objectContaining({ code: "wrong-direction" }));
  });

  it("tells a watcher of every edge it asked for, in order, with time and count", async () => {
    const rig = start("in");
    await using line = await rig.open();
    const both: Edge[] = [];
    const rising: Edge[] = [];
    const falling: Edge[] = [];
    line.watch("both", (edge) => both.push(edge));
    line.watch("rising", (edge) => rising.push(edge));
    line.watch("falling", (edge) => falling.push(edge));
    for (const active of [true, false, true]) {
      rig.advance(5);
      rig.drive(active);
    }
    await vi.waitFor(() => expect(both).toHaveLength(3));
    expect(both.map((edge) => edge.rising)).toEqual([true, false, true]);
    expect(both.map((edge) => edge.sequence)).toEqual([1, 2, 3]);
    expect(both.map((edge) => edge.timestampNs)).toEqual([5_000_000n, 10_000_000n, 15_000_000n]);
    expect(rising.map((edge) => [edge.rising, edge.sequence])).toEqual([
      [true, 1],
      [true, 2],
    ]);
    expect(falling.map((edge) => [edge.rising, edge.sequence])).toEqual([[false, 1]]);
  });

  it("stops telling once the watcher said so, and again after that is harmless", async () => {
    const rig = start("in");
    await using line = await rig.open();
    const first: Edge[] = [];
    const second: Edge[] = [];
    const stop = line.watch("both", (edge) => first.push(edge));
    line.watch("both", (edge) => second.push(edge));
    rig.drive(true);
    await vi.waitFor(() => expect(second).toHaveLength(1));
    stop();
    stop();
    rig.drive(false);
    await vi.waitFor(() => expect(second).toHaveLength(2));
    expect(first).toHaveLength(1);
  });

  it("can be watched again later and starts with the edges of then", async () => {
    const rig = start("in");
    await using line = await rig.open();
    line.watch("both", () => {})();
    rig.drive(true);
    rig.advance(5);
    const edges: Edge[] = [];
    line.watch("both", (edge) => edges.push(edge));
    rig.drive(false);
    await vi.waitFor(() => expect(edges).toHaveLength(1));
    expect(edges[0]).toMatchObject({ rising: false, sequence: 1 });
  });

  it("rejects every call after close, closes twice without harm and forgets its watchers", async () => {
    const rig = start("in");
    const line = await rig.open();
    const edges: Edge[] = [];
    const stop = line.watch("both", (edge) => edges.push(edge));
    await Promise.all([line.close(), line.close()]);
    await expect(line.read()).rejects.toMatchObject({ code: "closed" });
    expect(() => line.watch("both", () => {})).toThrow(expect.objectContaining({ code: "closed" }));
    await using again = await rig.open();
    const later: Edge[] = [];
    again.watch("rising", (edge) => later.push(edge));
    rig.drive(true);
    await vi.waitFor(() => expect(later).toHaveLength(1));
    expect(edges).toHaveLength(0);
    // Of the closed line: it must not stop the one that is open now.
    stop();
    rig.drive(false);
    rig.drive(true);
    await vi.waitFor(() => expect(later).toHaveLength(2));
    const output = await start("out").open();
    await output.close();
    await expect(output.write(true)).rejects.toMatchObject({ code: "closed" });
  });
});
