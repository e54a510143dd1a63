// Attack: one stolen root key signs twice, so that it looks like the two that are needed.
import { describe, expect, test } from "vitest";
import type { SigningKey } from "../../src/operator/keys/key.ts";
import { publishImage } from "../../src/operator/publish.ts";
import {
  createFleet,
  createGateway,
  deployTo,
  expectDeployed,
  readHeld,
  readMemory,
  release,
} from "../support/fleet.ts";
import type { Fleet, Gateway } from "../support/fleet.ts";
import { loadRootKeys, rotateImageRoot } from "../support/rotateRoot.ts";

async function startFleet(fleet: Fleet): Promise<{ readonly gateway: Gateway; readonly stolen: SigningKey }> {
  const gateway = createGateway(fleet);
  await release(fleet, { version: "1.0.0" });
  await deployTo(fleet, "plant-7", "boiler@1.0.0");
  await expectDeployed(gateway, 1);
  const [stolen] = await loadRootKeys(fleet);
  if (stolen === undefined) throw new Error("the fleet has three root keys");
  return { gateway, stolen };
}

/** Serves a root in which what `edit` makes of its signatures replaces them. */
async function serveRoot(fleet: Fleet, stolen: SigningKey, edit: (signature: Signature) => readonly Signature[]) {
  await rotateImageRoot(fleet, { signers: [stolen] });
  await publishImage(fleet.workspace, fleet.publisher);
  const topic = "outstation/v1/image/2.root.json";
  const root = JSON.parse(Buffer.from(await readHeld(fleet, topic)).toString()) as { signatures: Signature[] };
  root.signatures = root.signatures.flatMap(edit);
  fleet.broker.set(topic, Buffer.from(JSON.stringify(root)));
}

interface Signature {
  readonly keyid: string;
  readonly sig: string;
}

describe("a signature that is there twice", () => {
  test.each([
    ["under the same key id", (signature: Signature) => [signature, signature]],
    [
      "under another letter case",
      (signature: Signature) => [signature, { ...signature, keyid: signature.keyid.toUpperCase() }],
    ],
    [
      "and spelled differently",
      (signature: Signature) => [signature, { ...signature, sig: signature.sig.toUpperCase() }],
    ],
    [
      "under an id that the root does not list",
      (signature: Signature) => [signature, { ...signature, keyid: "0".repeat(64) }],
    ],
  ])("%s does not count twice", async (_, edit) => {
    await using fleet = await createFleet();
    const { gateway, stolen } = await startFleet(fleet);
    await serveRoot(fleet, stolen, edit);
    const refused = await gateway.refresh();
    expect(refused).toMatchObject({ kind: "refused", rule: expect.stringMatching(/^trust\.(signature|malformed)$/) });
    expect(readMemory(gateway.disk).get("/trust/image/root.json")).toBeUndefined();
  });
});
