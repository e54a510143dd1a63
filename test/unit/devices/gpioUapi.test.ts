// The structures of linux/gpio.h, byte by byte.
import { describe, expect, it } from "vitest";
import {
  decodeChipInfo,
  decodeEvents,
  decodeLineFile,
  decodeLineName,
  decodeValues,
  encodeLineConfig,
  encodeLineInfo,
  encodeLineRequest,
  encodeValues,
  requests,
  sizes,
} from "../../../devices/gpio/linux/uapi.ts";

const input = { direction: "in", activeLow: false, bias: "none", debounceUs: 0 } as const;
const output = { ...input, direction: "out" } as const;

/** The bytes that are not zero, as offset to value. */
function written(bytes: Uint8Array): Record<number, number> {
  return Object.fromEntries([...bytes.entries()].filter(([, value]) => value !== 0));
}

function flagsOf(config: Uint8Array): number {
  return Number(new DataView(config.buffer).getBigUint64(0, true));
}

describe("the GPIO structures", () => {
  it("carry their own size in the request number", () => {
    expect(requests).toEqual({
      chipInfo: 0x8044b401,
      lineInfo: 0xc100b405,
      getLine: 0xc250b407,
      setConfig: 0xc110b40d,
      getValues: 0xc010b40e,
      setValues: 0xc010b40f,
    });
    const sizeIn = (request: number): number => (request >>> 16) & 0x3fff;
    expect(sizeIn(requests.chipInfo)).toBe(sizes.chipInfo);
    expect(sizeIn(requests.lineInfo)).toBe(sizes.lineInfo);
    expect(sizeIn(requests.getLine)).toBe(sizes.lineRequest);
    expect(sizeIn(requests.setConfig)).toBe(sizes.lineConfig);
    expect(sizeIn(requests.getValues)).toBe(sizes.values);
  });

  it("ask for a line by its offset and read its name up to the zero", () => {
    const bytes = encodeLineInfo(0x0102);
    expect(bytes).toHaveLength(256);
    expect(written(bytes)).toEqual({ 64: 2, 65: 1 });
    bytes.set(Buffer.from("GPIO17\0rubbish"), 0);
    expect(decodeLineName(bytes)).toBe("GPIO17");
  });

  it("read a chip's name, label and line count", () => {
    const bytes = new Uint8Array(68);
    bytes.set(Buffer.from("gpiochip0"), 0);
    bytes.set(Buffer.from("x".repeat(32)), 32);
    bytes[64] = 54;
    expect(decodeChipInfo(bytes)).toEqual({ name: "gpiochip0", label: "x".repeat(32), lines: 54 });
  });

  it("request one line with its consumer and settings", () => {
    const bytes = encodeLineRequest(17, "ab", { ...input, debounceUs: 0x0302 });
    expect(bytes).toHaveLength(592);
    expect(written(bytes)).toEqual({
      0: 17,
      256: 0x61,
      257: 0x62,
      288: 1 << 2,
      289: (1 << 10) >> 8,
      296: 1,
      320: 3,
      328: 2,
      329: 3,
      336: 1,
      560: 1,
    });
  });

  it("keep a consumer's closing zero, however long it is", () => {
    const bytes = encodeLineRequest(0, "y".repeat(40), output);
    expect(bytes[256 + 30]).toBe(0x79);
    expect(bytes[256 + 31]).toBe(0);
  });

  it.each([
    ["an input without bias", input, "none", (1 << 2) | (1 << 10)],
    ["an output without bias", output, "none", 1 << 3],
    ["an active-low output", { ...output, activeLow: true }, "none", (1 << 3) | (1 << 1)],
    ["a pull-up", { ...input, bias: "pull-up" }, "none", (1 << 2) | (1 << 8)],
    ["a pull-down", { ...input, bias: "pull-down" }, "none", (1 << 2) | (1 << 9)],
    ["rising edges", { ...input, bias: "pull-up" }, "rising", (1 << 2) | (1 << 8) | (1 << 4)],
    ["falling edges", { ...input, bias: "pull-up" }, "falling", (1 << 2) | (1 << 8) | (1 << 5)],
    ["both edges", { ...input, bias: "pull-up" }, "both", (1 << 2) | (1 << 8) | (1 << 4) | (1 << 5)],
  ] as const)("set the flags of %s", (_what, settings, edges, expected) => {
    expect(flagsOf(encodeLineConfig(settings, edges))).toBe(expected);
  });

  it("debounce inputs only", () => {
    expect(encodeLineConfig({ ...output, debounceUs: 500 }, "none")[8]).toBe(0);
    expect(encodeLineConfig({ ...input, debounceUs: 500 }, "none")[8]).toBe(1);
  });

  it("carry one level and its mask", () => {
    expect(written(encodeValues(true))).toEqual({ 0: 1, 8: 1 });
    expect(written(encodeValues(false))).toEqual({ 8: 1 });
    expect(decodeValues(encodeValues(true))).toBe(true);
    expect(decodeValues(encodeValues(false))).toBe(false);
  });

  it("read the descriptor at the end of a request", () => {
    const bytes = new Uint8Array(592);
    new DataView(bytes.buffer).setInt32(588, 77, true);
    expect(decodeLineFile(bytes)).toBe(77);
  });

  it("read as many events as came, wherever their bytes lie", () => {
    const bytes = new Uint8Array(100).subarray(4);
    const fields = new DataView(bytes.buffer, 4);
    fields.setBigUint64(0, 123_456_789_012n, true);
    fields.setUint32(8, 1, true);
    fields.setUint32(16, 9, true);
    fields.setUint32(20, 3, true);
    fields.setUint32(48 + 8, 2, true);
    fields.setUint32(48 + 20, 4, true);
    expect(decodeEvents(bytes)).toEqual([
      { timestampNs: 123_456_789_012n, rising: true, lineSequence: 3 },
      { timestampNs: 0n, rising: false, lineSequence: 4 },
    ]);
    expect(decodeEvents(bytes.subarray(0, 47))).toEqual([]);
  });
});
