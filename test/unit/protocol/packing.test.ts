// Packed metadata gives back what was packed, bounded, and never the wrong bytes in silence.
import { describe, expect, test } from "vitest";
import { CompressionError, pack } from "../../../src/protocol/compression.ts";
import { packFile, packRound, unpackFile, unpackRound } from "../../../src/protocol/packing.ts";
import { packingDictionary } from "../../../src/protocol/packingDictionary.ts";
import { sha256Hex } from "../../../src/base/hash.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const hint = { root: 70_000, snapshot: 9, oldestBase: 4 };

describe("a packed file", () => {
  test("comes back with its hint, and one that is not packed as it is", async () => {
    const bytes = encode('{"signed":{}}');
    const { bytes: unpacked, hint: told } = await unpackFile(await packFile(bytes, hint), 100);
    expect([Buffer.from(unpacked).toString(), told]).toEqual(['{"signed":{}}', hint]);
    expect(await unpackFile(bytes, 100)).toEqual({ bytes, hint: undefined });
    expect(await unpackFile(new Uint8Array(), 100)).toEqual({ bytes: new Uint8Array(), hint: undefined });
  });

  test("never unfolds beyond its bound, and is refused when it is cut or garbled anywhere", async () => {
    const packed = await packFile(encode("a".repeat(100_000)), hint);
    await expect(unpackFile(packed, 99_999)).rejects.toMatchObject({ code: "too-large" });
    for (let length = 13; length < packed.length; length += 1)
      await expect(unpackFile(packed.subarray(0, length), 100_000)).rejects.toThrow(CompressionError);
    for (let at = 13; at < packed.length; at += 1) {
      const garbled = Uint8Array.from(packed);
      garbled[at] = (garbled[at] ?? 0) ^ 0x10;
      const outcome = await unpackFile(garbled, 100_000).then(
        ({ bytes }) => Buffer.from(bytes).toString(),
        () => "a".repeat(100_000),
      );
      expect(outcome).toBe("a".repeat(100_000));
    }
  });

  test("is read by gateways in the field: the dictionary never changes under its number", () => {
    expect(sha256Hex(packingDictionary)).toBe("b5e76497aa8a700e0160d7390254ded37e4667ef9281ba5158e8f07faf63c29e");
  });
});

describe("a round", () => {
  const base = [encode('{"version":1,"keys":"kkkkkkkk"}'), encode('{"targets":{"a":1}}')];
  const files = new Map([
    ["2.snapshot.json", encode('{"version":2,"keys":"kkkkkkkk"}')],
    ["2.targets.json", encode('{"targets":{"a":1,"b":2}}')],
  ]);

  test("gives the files to who holds the base", async () => {
    const unpacked = await unpackRound(await packRound(files, base), base, 1000);
    expect([...unpacked].map(([name, bytes]) => [name, Buffer.from(bytes).toString()])).toEqual(
      [...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString()]),
    );
  });

  test("is of no use on another base, and does not unfold beyond its bound", async () => {
    const packed = await packRound(files, base);
    const other = [encode('{"version":1,"keys":"llllllll"}'), base[1] ?? new Uint8Array()];
    await expect(unpackRound(packed, other, 1000)).rejects.toThrow(CompressionError);
    await expect(unpackRound(packed, base, 20)).rejects.toMatchObject({ code: "too-large" });
  });

  test("with an index that lies gives only what is there", async () => {
    for (const index of ['[["x",1e9]]', '[["x",-1]]', "[[1,2]]", '{"x":1}', '[["x",0.5]]']) {
      const content = encode(`${index}\nabc`);
      const payload = Buffer.concat([Uint8Array.of(2), await pack(content, packingDictionary)]);
      const unpacked = await unpackRound(payload, [], 1000);
      for (const bytes of unpacked.values()) expect(Buffer.from(bytes).toString()).toBe("abc");
    }
    const payload = Buffer.concat([Uint8Array.of(2), await pack(encode("no index"), packingDictionary)]);
    await expect(unpackRound(payload, [], 1000)).rejects.toThrow(SyntaxError);
  });
});
