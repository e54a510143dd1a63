// Director and image repository must mean the same release: path, length, hash, counter and world.
import { describe, expect, test } from "vitest";
import type { Deployment } from "../../../src/protocol/deployment.ts";
import { digestNeeds, type Release } from "../../../src/protocol/release.ts";
import { agree } from "../../../src/trust/agreement.ts";
import type { SignedTarget, VerifiedMetadata } from "../../../src/trust/tuf/metadata.ts";

const path = "boiler/1.0.0.wasm";
const sha256 = "a".repeat(64);
const needs = { hardware: ["rpi-4"], imports: ["wasi:io/poll@0.2.3"], exports: [] };
const release: Release = {
  component: "boiler",
  version: "1.0.0",
  counter: 3,
  needs,
  world: digestNeeds(needs),
  full: { sha256, length: 5 },
  deltas: {},
};

function createMetadata(target: Partial<SignedTarget>): VerifiedMetadata {
  const keys = { root: ["r"], timestamp: ["t"], snapshot: ["s"], targets: ["t"] };
  const thresholds = { root: 1, timestamp: 1, snapshot: 1, targets: 1 };
  const listed = { path, lengthBytes: 9, sha256, custom: {}, role: "targets", ...target };
  return {
    root: { version: 1, expiresMs: 1, keys, thresholds, publicKeys: new Map() },
    versions: { root: 1, timestamp: 1, snapshot: 1, targets: 1 },
    signedAtMs: undefined,
    targets: new Map([[path, listed]]),
    publishers: new Map(),
    vouchers: new Map(),
    delegates: false,
  };
}

const honest = { gateway: "plant-7", counter: 3, world: digestNeeds(needs) };

function agreeOn(directed: Partial<SignedTarget>, existing: Partial<SignedTarget> = {}): unknown {
  const deployment = { components: { boiler: { release: "boiler@1.0.0" } } } as unknown as Deployment;
  const director = createMetadata({ custom: honest, ...directed });
  const image = createMetadata({ custom: release, ...existing });
  return agree({ deployment, director, image, floors: new Map() }).targets;
}

describe("agreement", () => {
  test("is found when both say the same", () => {
    expect(agreeOn({})).toEqual(new Map([["boiler", { path, lengthBytes: 9, sha256, release }]]));
  });

  test.each([
    ["the length", { lengthBytes: 10 }],
    ["the hash", { sha256: "b".repeat(64) }],
    ["the counter", { custom: { ...honest, counter: 4 } }],
    ["a counter that is missing", { custom: { gateway: "plant-7", world: honest.world } }],
    ["the world", { custom: { ...honest, world: "c".repeat(64) } }],
    ["a world that is missing", { custom: { gateway: "plant-7", counter: 3 } }],
  ])("is refused for another word of the director on %s", (_what, directed) => {
    expect(agreeOn(directed)).toMatchObject({ kind: "refused", rule: "trust.disagreement" });
  });

  test("is refused when the listed world is not what its digest says, in any list", () => {
    for (const changed of [{ hardware: [] }, { imports: [] }, { exports: ["a:b/c"] }, { agent: "9.0.0" }]) {
      const other = { ...release, needs: { ...needs, ...changed } };
      expect(agreeOn({}, { custom: other })).toMatchObject({ rule: "trust.disagreement" });
    }
  });
});
