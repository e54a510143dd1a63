// A power cut at every single write of a refresh: nothing seen is forgotten, and the next refresh gets there.
import { describe, expect, test } from "vitest";
import { publishImage } from "../../src/operator/publish.ts";
import {
  createFleet,
  createGateway,
  deployTo,
  expectDeployed,
  expectRemembered,
  readMemory,
  release,
} from "../support/fleet.ts";
import { loadRootKeys, rotateImageRoot } from "../support/rotateRoot.ts";

describe("a power cut while a refresh is made durable", () => {
  test("loses no floor and no root, whichever write it hits", async () => {
    await using fleet = await createFleet();
    const first = createGateway(fleet);
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await expectDeployed(first, 1);
    await rotateImageRoot(fleet, { signers: await loadRootKeys(fleet) });
    await publishImage(fleet.workspace, fleet.publisher);
    await release(fleet, { version: "1.1.0" });
    await deployTo(fleet, "plant-7", "boiler@1.1.0");
    let cuts = 0;
    for (let failing = 1; ; failing += 1) {
      const gateway = createGateway(fleet);
      for (const [path, bytes] of first.disk.files) gateway.disk.files.set(path, bytes);
      const before = readMemory(gateway.disk);
      let writes = 0;
      const writeFile = (path: string, bytes: Uint8Array): Promise<void> => {
        writes += 1;
        return writes >= failing ? Promise.reject(new Error("power cut")) : gateway.disk.writeFile(path, bytes);
      };
      const outcome = await gateway.refresh({ disk: { ...gateway.disk, writeFile } }).catch(() => "cut");
      expectRemembered(gateway, before);
      await expectDeployed(gateway, 2);
      if (outcome !== "cut") break;
      cuts += 1;
    }
    // Director: two copies of the floors, three files, a document; image: a root as well; then the deployment's own floor.
    expect(cuts).toBe(2 + 3 + 1 + 1 + 2 + 3 + 2);
  });
});
