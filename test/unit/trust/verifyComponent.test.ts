// Exactly the signed bytes become a verified component.
import { describe, expect, test } from "vitest";
import { sha256Hex } from "../../../src/base/hash.ts";
import type { VerifiedTarget } from "../../../src/protocol/release.ts";
import { verifyComponent } from "../../../src/trust/verifyComponent.ts";

const bytes = new TextEncoder().encode("a component");
const sha256 = sha256Hex(bytes);
const target: VerifiedTarget = {
  path: "boiler/1.0.0.wasm",
  lengthBytes: bytes.byteLength,
  sha256,
  release: { component: "boiler", version: "1.0.0", counter: 1, full: { sha256, length: 1 }, deltas: {} },
};

describe("verifyComponent", () => {
  test("accepts the signed bytes", () => {
    expect(verifyComponent(target, bytes)).toMatchObject({ target, bytes });
  });
});
