// The rewritten memory section: every memory is capped, and hostile bytes are an error, never a hang.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countMemories, limitMemory } from "../../../src/runtime/memoryLimit.ts";

const pageBytes = 65536;
const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const customSection = [0x00, 0x03, 0x01, 0x78, 0xff];
const exportMemory = [0x07, 0x05, 0x01, 0x01, 0x6d, 0x02, 0x00];

describe("a module that is capped", () => {
  test("leaves a module without memories as it is", () => {
    const module = Uint8Array.from([...header, ...customSection]);
    expect(limitMemory(module, pageBytes)).toBe(module);
    expect(countMemories(module)).toBe(0);
  });

  test("grows to the cap and not beyond", () => {
    const memory = instantiate(limitMemory(moduleOf([[0, 1]]), 4 * pageBytes));
    expect(memory.grow(3)).toBe(1);
    expect(() => memory.grow(1)).toThrow(RangeError);
  });

  test("keeps a lower maximum of its own and lowers a higher one", () => {
    expect(limitMemory(moduleOf([[1, 1, 2]]), 4 * pageBytes)).toEqual(moduleOf([[1, 1, 2]]));
    expect(limitMemory(moduleOf([[1, 1, 300]]), 4 * pageBytes)).toEqual(moduleOf([[1, 1, 4]]));
  });

  test("caps each of several memories and counts them", () => {
    const module = moduleOf([
      [0, 1],
      [1, 0, 9],
      [0, 2],
    ]);
    expect(limitMemory(module, 4 * pageBytes)).toEqual(
      moduleOf([
        [1, 1, 4],
        [1, 0, 4],
        [1, 2, 4],
      ]),
    );
    expect(countMemories(module)).toBe(3);
  });

  test("keeps the flags of shared and of 64-bit memories", () => {
    const module = moduleOf([
      [3, 1, 9],
      [4, 1],
      [5, 1, 300],
    ]);
    expect(limitMemory(module, 4 * pageBytes)).toEqual(
      moduleOf([
        [3, 1, 4],
        [5, 1, 4],
        [5, 1, 4],
      ]),
    );
  });

  test("rounds the cap down to whole pages", () => {
    expect(limitMemory(moduleOf([[0, 1]]), 3 * pageBytes - 1)).toEqual(moduleOf([[1, 1, 2]]));
  });
});

describe("a module that is refused", () => {
  test("starts with more than the cap", () => {
    expect(() => limitMemory(moduleOf([[0, 5]]), 4 * pageBytes)).toThrow(/327680 bytes, over its limit of 262144/);
  });

  test("has flags that are not known here", () => {
    expect(() => limitMemory(moduleOf([[8, 1, 0]]), 4 * pageBytes)).toThrow(/flags 8/);
  });

  test.each([
    ["ends within its memory section's size", [...header, 0x05, 0x80]],
    ["says that it has far more memories than bytes", [...header, 0x05, 0x05, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ["has a number without end", [...header, 0x05, ...Array.from({ length: 100 }, () => 0xff)]],
    ["ends after the flags of a memory", [...header, 0x05, 0x02, 0x01, 0x00]],
    ["ends before the maximum of a memory", [...header, 0x05, 0x03, 0x01, 0x01, 0x01]],
  ])("%s", (_what, bytes) => {
    expect(() => limitMemory(Uint8Array.from(bytes), pageBytes)).toThrow(RangeError);
  });

  test("every truncation of a module is an error or has no memory section", () => {
    const module = moduleOf([[1, 1, 300]]);
    const sectionStart = header.length + customSection.length;
    for (let length = sectionStart + 1; length < sectionStart + 7; length++)
      expect(() => limitMemory(module.slice(0, length), pageBytes)).toThrow(RangeError);
  });

  test("any bytes at all are answered or refused", () => {
    const attempt = (bytes: Uint8Array): boolean => {
      try {
        return limitMemory(Uint8Array.from([...header, 0x05, ...bytes]), pageBytes).length > 0;
      } catch (error) {
        return error instanceof RangeError;
      }
    };
    const answered = fc.check(fc.property(fc.uint8Array({ maxLength: 64 }), attempt));
    expect(answered).toMatchObject({ failed: false });
  });
});

/** A module with a custom section before and an export after its memories, each given as flags, minimum, maximum. */
function moduleOf(memories: readonly (readonly number[])[]): Uint8Array {
  const body = [memories.length, ...memories.flatMap(([flags = 0, ...pages]) => [flags, ...pages.flatMap(encode)])];
  return Uint8Array.from([...header, ...customSection, 0x05, body.length, ...body, ...exportMemory]);
}

function encode(value: number): number[] {
  return value < 128 ? [value] : [(value & 0x7f) | 0x80, ...encode(value >> 7)];
}

interface Memory {
  grow(pages: number): number;
}

function instantiate(module: Uint8Array): Memory {
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: {
      Module: new (bytes: Uint8Array) => object;
      Instance: new (module: object) => { readonly exports: { readonly m: Memory } };
    };
  };
  return new WebAssembly.Instance(new WebAssembly.Module(module)).exports.m;
}
