// Exactly the signed bytes become a verified component.
import { describe, expect, test } from "vitest";
import type { StagedFile } from "../../../src/base/disk.ts";
import { sha256Hex } from "../../../src/base/hash.ts";
import type { VerifiedComponent, VerifiedTarget } from "../../../src/protocol/release.ts";
import { verifyComponent } from "../../../src/trust/verifyComponent.ts";
import { piecesOf } from "../../support/expand.ts";
import { createMemoryDisk } from "../../support/memoryDisk.ts";

const bytes = new TextEncoder().encode("a component");
const sha256 = sha256Hex(bytes);
const target: VerifiedTarget = {
  path: "boiler/1.0.0.wasm",
  lengthBytes: bytes.byteLength,
  sha256,
  release: { component: "boiler", version: "1.0.0", counter: 1, full: { sha256, length: 1 }, deltas: {} },
};

describe("verifyComponent", () => {
  test("stages the signed bytes, and nothing else", async () => {
    const disk = createMemoryDisk();
    const stage = (): Promise<StagedFile> => disk.stageFile("/c");
    const verified = await verifyComponent(target, piecesOf(bytes, 3), stage);
    expect(verified).toMatchObject({ target });
    expect(disk.files.size).toBe(0);
    await (verified as VerifiedComponent).staged.publish();
    expect(Uint8Array.from(disk.files.get("/c") ?? [])).toEqual(bytes);
  });

  test("takes no more than the signed length and one piece, and removes what it refuses", async () => {
    let taken = 0;
    let removed = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        taken += 1;
        yield bytes.slice();
      }
    }
    const stage = async (): Promise<StagedFile> => {
      const staged = await createMemoryDisk().stageFile("/c");
      return { ...staged, [Symbol.asyncDispose]: async () => void (removed += 1) };
    };
    expect(await verifyComponent(target, endless(), stage)).toMatchObject({ rule: "delivery.hash" });
    expect([taken, removed]).toEqual([2, 1]);
  });
});
