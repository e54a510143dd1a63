// What a gateway learns from honest repositories, and what it keeps of it.
import { describe, expect, test } from "vitest";
import { publishImage } from "../../../src/operator/publish.ts";
import { createDirector, renewDirector } from "../../../src/operator/repository/director.ts";
import { renewImage } from "../../../src/operator/repository/addRelease.ts";
import { sha256Hex } from "../../../src/base/hash.ts";
import {
  createFleet,
  createGateway,
  createWasm,
  dayMs,
  deployTo,
  expectDeployed,
  expectRefused,
  hourMs,
  publishAll,
  release,
} from "../../support/fleet.ts";

describe("refreshTrust", () => {
  test("has nothing to run while the director has published nothing", async () => {
    await using fleet = await createFleet();
    expect(await createGateway(fleet).refresh()).toBe("nothing-deployed");
  });

  test("has nothing to run while the director deploys nothing", async () => {
    await using fleet = await createFleet();
    await createDirector(fleet.workspace, "plant-7");
    await publishAll(fleet, "plant-7");
    expect(await createGateway(fleet).refresh()).toBe("nothing-deployed");
  });

  test("verifies a deployment with its targets, text and operators", async () => {
    await using fleet = await createFleet();
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    const { targets, text, operators } = await expectDeployed(createGateway(fleet), 1);
    const bytes = createWasm("boiler@1.0.0");
    expect(targets.get("boiler")).toMatchObject({
      path: "boiler/1.0.0.wasm",
      lengthBytes: bytes.byteLength,
      sha256: sha256Hex(bytes),
      release: { counter: 1 },
    });
    expect(text.components["boiler"]?.release).toBe("boiler@1.0.0");
    expect(Object.values(operators.keys)).toMatchObject([{ name: "operator", may: ["*"] }]);
  });

  test("follows from one deployment to the next, back down to an older release, and writes nothing when nothing is new", async () => {
    await using fleet = await createFleet();
    const gateway = createGateway(fleet);
    await release(fleet, { version: "1.0.0" });
    await release(fleet, { version: "1.1.0" });
    await deployTo(fleet, "plant-7", "boiler@1.1.0");
    await expectDeployed(gateway, 1);
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await expectDeployed(gateway, 2);
    const writeFile = (path: string): Promise<void> => Promise.reject(new Error(`${path} was written`));
    expect(await gateway.refresh({ disk: { ...gateway.disk, writeFile } })).toMatchObject({
      deployment: { version: 2 },
    });
  });

  test("goes on after both repositories were signed again a week later", async () => {
    await using fleet = await createFleet();
    const gateway = createGateway(fleet);
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await expectDeployed(gateway, 1);
    fleet.time.nowMs += 7 * dayMs + hourMs;
    await expectRefused(gateway, "trust.expired");
    await renewDirector(fleet.workspace, "plant-7");
    await renewImage(fleet.workspace);
    await publishAll(fleet, "plant-7");
    await expectDeployed(gateway, 1);
  });

  test("says that something is withheld when a timestamp it knew is gone", async () => {
    await using fleet = await createFleet();
    const gateway = createGateway(fleet);
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await expectDeployed(gateway, 1);
    fleet.broker.clear();
    await expectRefused(gateway, "trust.missing");
  });

  test("says that the image repository is missing when only the director is published", async () => {
    await using fleet = await createFleet();
    await release(fleet, { version: "1.0.0" });
    fleet.broker.clear();
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await expectRefused(createGateway(fleet), "trust.missing");
    await publishImage(fleet.workspace, fleet.publisher);
    await expectDeployed(createGateway(fleet), 1);
  });

  test("rejects with the connection's own failure, leaves no unhandled rejection, and succeeds the next time", async () => {
    await using fleet = await createFleet();
    const gateway = createGateway(fleet);
    await release(fleet, { version: "1.0.0" });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    const offline = new Error("the line is down");
    for (const failing of ["timestamp.json", "2.snapshot.json", "2.targets.json"]) {
      const fetchImage = async (name: string): Promise<Uint8Array | undefined> => {
        if (name === failing) throw offline;
        return fleet.broker.get(`outstation/v1/image/${name}`);
      };
      await expect(gateway.refresh({ fetchImage })).rejects.toBe(offline);
    }
    await expectDeployed(gateway, 1);
  });
});
