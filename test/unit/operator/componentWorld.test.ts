// The world of a component as read from its binary is the one that admission reads from its WIT; anything else is undefined.
import { componentWit } from "@bytecodealliance/jco-transpile/wasm-tools";
import { describe, expect, test } from "vitest";
import { readComponentWorld } from "../../../src/operator/source/componentWorld.ts";
import { formatInterface, parseShape, type InterfaceName } from "../../../src/runtime/shape.ts";
import { buildGuest } from "../../support/guests.ts";

const names = (interfaces: readonly InterfaceName[]): readonly string[] => interfaces.map(formatInterface).sort();

describe("the world of a component", () => {
  test.each(["echo", "program", "datagram-echo", "line-follower"])("is the one of its WIT: %s", async (guest) => {
    const bytes = await buildGuest(guest);
    const { imports, exports } = parseShape(await componentWit(bytes));
    expect(imports.length).toBeGreaterThan(3);
    expect(readComponentWorld(bytes)).toEqual({ imports: names(imports), exports: names(exports) });
  });

  test("is not guessed when the binary is cut, and never hangs or throws on a garbled one", async () => {
    const bytes = await buildGuest("echo");
    const cuts = Array.from({ length: 200 }, (_, n) => readComponentWorld(bytes.subarray(0, 9 + n * 7)));
    expect(cuts.filter((world) => world === undefined).length).toBeGreaterThan(150);
    for (let at = 8; at < 3000; at += 1) {
      const garbled = Uint8Array.from(bytes.subarray(0, 4000));
      garbled[at] = (garbled[at] ?? 0) ^ 0xff;
      readComponentWorld(garbled);
    }
  });
});
