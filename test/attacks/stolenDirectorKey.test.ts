// Attack: the director's online key is stolen; it must not be able to install what the image repository does not allow.
import { describe, expect, test } from "vitest";
import { limits } from "../../src/base/limits.ts";
import {
  createFleet,
  createGateway,
  createWasm,
  deployTo,
  expectDeployed,
  expectRefused,
  release,
} from "../support/fleet.ts";
import type { Fleet, Gateway } from "../support/fleet.ts";
import { createDeployment, forgeDirector } from "../support/forgeDirector.ts";

async function startFleet(fleet: Fleet): Promise<Gateway> {
  const gateway = createGateway(fleet);
  await release(fleet, { version: "1.0.0" });
  await release(fleet, { version: "1.1.0" });
  await deployTo(fleet, "plant-7", "boiler@1.1.0");
  await expectDeployed(gateway, 1);
  return gateway;
}

const malware = createWasm("malware");

describe("a stolen director key", () => {
  test("cannot deploy a release that the image repository does not list", async () => {
    await using fleet = await createFleet();
    const gateway = await startFleet(fleet);
    await forgeDirector(fleet, "plant-7", [
      createDeployment(2, "plant-7", "boiler@6.6.6"),
      { path: "boiler/6.6.6.wasm", bytes: malware },
    ]);
    await expectRefused(gateway, "trust.disagreement");
    expect(fleet.broker.has("outstation/v1/image/timestamp.json")).toBe(true);
  });

  test.each([
    ["other bytes", malware],
    ["other bytes of the same length", createWasm("boiler@1.1.X")],
  ])("cannot deploy a listed release with %s", async (_, bytes) => {
    await using fleet = await createFleet();
    const gateway = await startFleet(fleet);
    const deployment = createDeployment(2, "plant-7", "boiler@1.1.0");
    await forgeDirector(fleet, "plant-7", [deployment, { path: "boiler/1.1.0.wasm", bytes }]);
    await expectRefused(gateway, "trust.disagreement");
    expect(bytes).not.toEqual(createWasm("boiler@1.1.0"));
  });

  test("cannot deploy a release that it does not list itself", async () => {
    await using fleet = await createFleet();
    const gateway = await startFleet(fleet);
    await forgeDirector(fleet, "plant-7", [createDeployment(2, "plant-7", "boiler@1.0.0")]);
    await expectRefused(gateway, "trust.disagreement");
    expect(await gateway.refresh()).toMatchObject({ seen: expect.stringContaining("does not list it") });
  });

  test("cannot deploy a release below the counter floor, also after the floor left the metadata", async () => {
    await using fleet = await createFleet();
    const gateway = await startFleet(fleet);
    await release(fleet, { version: "1.2.0", floor: 2 });
    await deployTo(fleet, "plant-7", "boiler@1.1.0");
    await expectDeployed(gateway, 2);
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    await expectRefused(gateway, "trust.counter");
    expect(await gateway.refresh()).toMatchObject({ seen: expect.stringContaining("counter 1, the floor is 2") });
  });

  test("can sign malformed documents, which are refused whole", async () => {
    await using fleet = await createFleet();
    const gateway = await startFleet(fleet);
    const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
    await forgeDirector(fleet, "plant-7", [{ path: "deployment.json", bytes: encode('{ "version": 2 }') }]);
    await expectRefused(gateway, "deployment.malformed");
    await forgeDirector(fleet, "plant-7", [{ path: "deployment.json", bytes: new Uint8Array(100_000) }]);
    await expectRefused(gateway, "trust.malformed");
    await forgeDirector(fleet, "plant-7", [
      createDeployment(2, "plant-7", "boiler@1.1.0"),
      { path: "operators.json", bytes: encode('{ "keys": { "k": {} } }') },
    ]);
    await expectRefused(gateway, "trust.malformed");
    expect(await gateway.refresh()).toMatchObject({ seen: expect.stringContaining("operators.json") });
  });

  test.each([1e300, 2 ** 53])("cannot spoil the gateway's memory with a version of %d", async (version) => {
    await using fleet = await createFleet();
    const gateway = await startFleet(fleet);
    await forgeDirector(fleet, "plant-7", [createDeployment(version, "plant-7", "boiler@1.1.0")]);
    await expectRefused(gateway, "deployment.malformed");
    await forgeDirector(fleet, "plant-7", [createDeployment(2, "plant-7", "boiler@1.1.0")]);
    await expectDeployed(gateway, 2);
  });

  test("cannot exhaust the gateway with more components than it takes, or with endless memory for one", async () => {
    await using fleet = await createFleet();
    const gateway = await startFleet(fleet);
    const boiler = { release: "boiler@1.1.0" };
    const names = Array.from({ length: limits.deployment.components + 1 }, (_, index) => `boiler${index}`);
    const endless = { ...boiler, limits: { memory: `${"9".repeat(400)}GiB` } };
    for (const components of [Object.fromEntries(names.map((name) => [name, boiler])), { boiler: endless }]) {
      const text = JSON.stringify({ version: 2, gateway: "plant-7", components });
      await forgeDirector(fleet, "plant-7", [{ path: "deployment.json", bytes: new TextEncoder().encode(text) }]);
      await expectRefused(gateway, "deployment.malformed");
    }
  });

  test("cannot make a refusal too long to be told", async () => {
    await using fleet = await createFleet();
    const gateway = await startFleet(fleet);
    const custom = { gateway: "x".repeat(300_000) };
    await forgeDirector(fleet, "plant-7", [{ path: "boiler/1.0.0.wasm", bytes: malware, custom }]);
    const refusal = await gateway.refresh();
    expect(refusal).toMatchObject({ kind: "refused", rule: "trust.gateway" });
    expect(JSON.stringify(refusal).length).toBeLessThan(3 * limits.words.refusal);
  });
});
