// The GPIO driver above the system calls: finding lines, settings, lost edges, failures and an orderly end.
import { describe, expect, it, vi } from "vitest";
import type { Edge } from "../../../devices/gpio/gpio.ts";
import { openSystemKernel } from "../../../devices/gpio/linux/kernel.ts";
import { createGpioDriver } from "../../../devices/gpio/linux/line.ts";
import { FakeGpioKernel } from "../../support/fakeGpioKernel.ts";
import type { FakeLine } from "../../support/fakeGpioKernel.ts";
import { createManualClock } from "../../support/manualDeviceClock.ts";

const input = { direction: "in", activeLow: false, bias: "none", debounceUs: 0 } as const;
const output = { ...input, direction: "out" } as const;

function startPi() {
  const clock = createManualClock();
  const kernel = new FakeGpioKernel(clock.monotonicNs);
  kernel.addChip("/dev/gpiochip0", "raspberrypi-exp-gpio", ["BT_ON", "WL_ON"]);
  const lines = kernel.addChip("/dev/gpiochip4", "pinctrl-rp1", ["ID_SDA", "GPIO4", "GPIO17"]);
  const line = (name: string): FakeLine => {
    const found = lines.find((candidate) => candidate.name === name);
    if (found === undefined) throw new Error(`the fake board has no ${name}`);
    return found;
  };
  return { clock, kernel, line, driver: createGpioDriver(kernel, clock.monotonicNs) };
}

describe("the GPIO driver", () => {
  it("finds a line by name whatever the chip's number, and leaves no descriptor but the line's", async () => {
    const { driver, kernel, line } = startPi();
    const relay = await driver.open("relay", { line: "GPIO17" }, output);
    expect(line("GPIO17").consumer).toBe("outstation");
    expect([...kernel.opened.values()]).toEqual([line("GPIO17")]);
    await relay.close();
    expect(kernel.opened.size).toBe(0);
  });

  it("falls back to chip label and offset when no line has the name", async () => {
    const { driver, kernel, line } = startPi();
    const place = { line: "PIN11", chip: "pinctrl-rp1", offset: 2 };
    await using relay = await driver.open("relay", place, output);
    await relay.write(true);
    expect(line("GPIO17").written).toEqual([false, true]);
    expect(kernel.opened.size).toBe(1);
  });

  it.each([
    [{ line: "GPIO99" }, 'named "GPIO99"'],
    [{ chip: "pinctrl-rp1", offset: 3 }, '3 of chip "pinctrl-rp1"'],
    [{ line: "A", chip: "other", offset: 0 }, 'named "A" or 0 of chip "other"'],
  ])("says what is missing: %j", async (address, words) => {
    const { driver, kernel } = startPi();
    const opening = driver.open("relay", address, output);
    await expect(opening).rejects.toMatchObject({ code: "missing", message: expect.stringContaining(words) });
    expect(kernel.opened.size).toBe(0);
  });

  it("says that it may not look when a chip does not open", async () => {
    const { driver, kernel } = startPi();
    kernel.failures.set("/dev/gpiochip4", -13);
    await expect(driver.open("relay", { line: "GPIO17" }, output)).rejects.toMatchObject({ code: "not-permitted" });
    await using other = await driver.open("radio", { line: "WL_ON" }, input);
    expect(other.direction).toBe("in");
  });

  it.each([
    [-16, "busy"],
    [-22, "invalid"],
    [-524, "unsupported"],
    [-5, "failed"],
  ])("turns error %d of a request into %s and lets go of the chip", async (failure, code) => {
    const { driver, kernel } = startPi();
    kernel.failures.set(0xc250b407, failure);
    await expect(driver.open("relay", { line: "GPIO17" }, output)).rejects.toMatchObject({ code });
    expect(kernel.opened.size).toBe(0);
  });

  it("applies active-low in the kernel, for levels and for edges", async () => {
    const { driver, kernel, line } = startPi();
    await using relay = await driver.open("relay", { line: "GPIO17" }, { ...output, activeLow: true });
    expect(line("GPIO17").written).toEqual([true]);
    await relay.write(true);
    expect(line("GPIO17").written).toEqual([true, false]);

    await using door = await driver.open("door", { line: "GPIO4" }, { ...input, activeLow: true, debounceUs: 5000 });
    expect(await door.read()).toBe(true);
    expect(line("GPIO4").debounceUs).toBe(5000);
    const edges: Edge[] = [];
    door.watch("both", (edge) => edges.push(edge));
    kernel.drive(line("GPIO4"), true);
    await vi.waitFor(() => expect(edges).toMatchObject([{ rising: false }]));
    expect(line("GPIO4").debounceUs).toBe(5000);
  });

  it("asks the kernel for edges only while somebody watches, and only for those", async () => {
    const { driver, line } = startPi();
    await using door = await driver.open("door", { line: "GPIO4" }, input);
    const asked = (): boolean[] => [line("GPIO4").has(4), line("GPIO4").has(5)];
    expect(asked()).toEqual([false, false]);
    const stopRising = door.watch("rising", () => {});
    expect(asked()).toEqual([true, false]);
    const stopFalling = door.watch("falling", () => {});
    expect(asked()).toEqual([true, true]);
    stopRising();
    expect(asked()).toEqual([false, true]);
    stopFalling();
    expect(asked()).toEqual([false, false]);
  });

  it("shows edges that the kernel had no room for as a gap in the count", async () => {
    const { driver, kernel, line } = startPi();
    await using door = await driver.open("door", { line: "GPIO4" }, input);
    const edges: Edge[] = [];
    door.watch("both", (edge) => edges.push(edge));
    for (let edge = 0; edge < 20; edge += 1) kernel.drive(line("GPIO4"), edge % 2 === 0);
    await vi.waitFor(() => expect(edges).toHaveLength(16));
    expect(edges.map((edge) => edge.sequence)).toEqual(Array.from({ length: 16 }, (_, index) => index + 5));
  });

  it("does not hand on edges that an earlier watch left behind", async () => {
    const { driver, kernel, line, clock } = startPi();
    await using door = await driver.open("door", { line: "GPIO4" }, input);
    const stop = door.watch("both", () => {});
    kernel.drive(line("GPIO4"), true);
    stop();
    clock.advance(5);
    const edges: Edge[] = [];
    door.watch("both", (edge) => edges.push(edge));
    kernel.drive(line("GPIO4"), false);
    await vi.waitFor(() => expect(edges).not.toHaveLength(0));
    expect(edges).toMatchObject([{ rising: false, timestampNs: 5_000_000n }]);
  });

  it("refuses to watch on a chip without interrupts, and still reads there", async () => {
    const { driver, kernel } = startPi();
    kernel.failures.set(0xc110b40d, -6);
    await using door = await driver.open("door", { line: "GPIO4" }, input);
    for (let attempt = 0; attempt < 2; attempt += 1)
      expect(() => door.watch("both", () => {})).toThrow(expect.objectContaining({ code: "unsupported" }));
    expect(await door.read()).toBe(false);
    expect(kernel.polls).toBe(0);
  });

  it("waits for the edges of all lines in one poll and ends with the last watcher", async () => {
    const { driver, kernel, line } = startPi();
    const heard: string[] = [];
    const door = await driver.open("door", { line: "GPIO4" }, input);
    const gate = await driver.open("gate", { line: "GPIO17" }, input);
    door.watch("both", () => heard.push("door"));
    gate.watch("both", () => heard.push("gate"));
    kernel.drive(line("GPIO17"), true);
    kernel.drive(line("GPIO4"), true);
    await vi.waitFor(() => expect(heard.sort()).toEqual(["door", "gate"]));
    // The fake kernel throws when a descriptor is closed under a poll.
    await Promise.all([door.close(), gate.close()]);
    const polls = kernel.polls;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(kernel.polls).toBe(polls);
    expect(kernel.opened.size).toBe(0);
  });

  it("says disconnected when the chip went away, and stops polling it", async () => {
    const { driver, kernel } = startPi();
    await using door = await driver.open("door", { line: "GPIO4" }, input);
    const stop = door.watch("both", () => {});
    kernel.gone = true;
    await expect(door.read()).rejects.toMatchObject({ code: "disconnected" });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const polls = kernel.polls;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(kernel.polls).toBe(polls);
    stop();
  });
});

describe("the system calls", () => {
  it("report a chip that is not there, from the real kernel", async () => {
    const kernel = openSystemKernel();
    expect(kernel.open("/dev/gpiochip-none")).toBe(-2);
    const driver = createGpioDriver(kernel, () => 0n);
    const opening = driver.open("relay", { line: "no such line on any machine" }, output);
    await expect(opening).rejects.toMatchObject({ code: "missing" });
  });

  it("open, control, read, poll and close real files, and report errors as negative numbers", async () => {
    const kernel = openSystemKernel();
    const zero = kernel.open("/dev/zero");
    expect(zero).toBeGreaterThan(0);
    const bytes = Uint8Array.of(1, 2, 3);
    expect(kernel.read(zero, bytes)).toBe(3);
    expect(bytes).toEqual(Uint8Array.of(0, 0, 0));
    expect(await kernel.poll([zero], 100)).toEqual([zero]);
    expect(kernel.ioctl(zero, 0x8044b401, new Uint8Array(68))).toBe(-25);
    expect(kernel.close(zero)).toBe(0);
    expect(kernel.close(zero)).toBe(-9);
    expect(await kernel.poll([], 1)).toEqual([]);
  });
});
