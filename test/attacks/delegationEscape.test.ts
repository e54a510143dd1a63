// Attack: a publisher whose key is good for its own components signs others', lifts others' floors, or signs on after its key was taken away.
import { describe, expect, test } from "vitest";
import { createKey } from "../../src/operator/keys/key.ts";
import { join } from "node:path";
import type { SigningKey } from "../../src/operator/keys/key.ts";
import { publishWithPublishers, toTufKey } from "../support/delegate.ts";
import {
  createFleet,
  createGateway,
  deployTo,
  expectDeployed,
  expectRefused,
  readMemory,
  release,
} from "../support/fleet.ts";
import type { Fleet } from "../support/fleet.ts";

const boiler1 = "boiler/1.0.0.wasm";
const boiler2 = "boiler/1.1.0.wasm";

async function createPublished(): Promise<{ fleet: Fleet; acme: SigningKey; other: SigningKey }> {
  const fleet = await createFleet();
  await release(fleet, { version: "1.0.0" });
  await release(fleet, { version: "1.1.0" });
  await deployTo(fleet, "plant-7", "boiler@1.0.0");
  const keyAt = (name: string): Promise<SigningKey> =>
    createKey(join(fleet.workspace.directory, "keys", `${name}.pem`));
  return { fleet, acme: await keyAt("acme"), other: await keyAt("other") };
}

describe("a publisher", () => {
  test("is believed within its paths", async () => {
    const { fleet, acme } = await createPublished();
    await using _ = fleet;
    const gateway = createGateway(fleet);
    await publishWithPublishers(fleet, [
      { name: "acme", paths: ["boiler/*"], keys: [acme], targets: [boiler1, boiler2] },
    ]);
    const { targets } = await expectDeployed(gateway, 1);
    expect(targets.get("boiler")).toMatchObject({ path: boiler1, release: { version: "1.0.0" } });
    expect(readMemory(gateway.disk).get("/trust/floors.json image/publisher/acme")).toBe(1);
    // The second look needs nothing that is kept: what a publisher signed is read from the disk.
    for (const topic of [...fleet.broker.keys()].filter((name) => name.endsWith("1.acme.json")))
      fleet.broker.delete(topic);
    await expectDeployed(gateway, 1);
  });

  test.each([["pump/*"], ["boiler"], ["boiler/2.*"], ["*"]])("is not believed for a path outside %s", async (paths) => {
    const { fleet, acme } = await createPublished();
    await using _ = fleet;
    await publishWithPublishers(fleet, [{ name: "acme", paths: [paths], keys: [acme], targets: [boiler1] }]);
    await expectRefused(createGateway(fleet), "trust.disagreement");
  });

  test("cannot sign with another's key, nor below its threshold", async () => {
    const { fleet, acme, other } = await createPublished();
    await using _ = fleet;
    const publisher = { name: "acme", paths: ["boiler/*"], targets: [boiler1] };
    await publishWithPublishers(fleet, [{ ...publisher, keys: [acme], signers: [other] }]);
    await expectRefused(createGateway(fleet), "trust.signature");
    await publishWithPublishers(fleet, [{ ...publisher, keys: [acme, other], threshold: 2, signers: [acme] }]);
    await expectRefused(createGateway(fleet), "trust.signature");
  });

  test("does not count twice under two ids of one key", async () => {
    const { fleet, acme } = await createPublished();
    await using _ = fleet;
    const twin: SigningKey = { ...acme, keyId: "f".repeat(64) };
    const publisher = { name: "acme", paths: ["boiler/*"], keys: [acme, twin], threshold: 2, targets: [boiler1] };
    await publishWithPublishers(fleet, [publisher], { delegationKeys: { [twin.keyId]: toTufKey(acme, twin.keyId) } });
    await expectRefused(createGateway(fleet), "trust.signature");
  });

  test("cannot be called what a file of ours is called, or lead out of the directory", async () => {
    const { fleet, acme } = await createPublished();
    await using _ = fleet;
    for (const name of ["../../floors", "A", "1", ".hidden"]) {
      await publishWithPublishers(fleet, [{ name, paths: ["boiler/*"], keys: [acme], targets: [boiler1] }]);
      await expectRefused(createGateway(fleet), "trust.malformed");
    }
  });

  test("is not served in an older version, even after the cache is lost", async () => {
    const { fleet, acme } = await createPublished();
    await using _ = fleet;
    const gateway = createGateway(fleet);
    const publisher = { name: "acme", paths: ["boiler/*"], keys: [acme], targets: [boiler1] };
    await publishWithPublishers(fleet, [{ ...publisher, version: 5 }], { round: 100 });
    await expectDeployed(gateway, 1);
    for (const path of gateway.disk.files.keys()) if (path.includes("/image/")) gateway.disk.files.delete(path);
    await publishWithPublishers(fleet, [{ ...publisher, version: 4 }], { round: 101 });
    await expectRefused(gateway, "trust.rollback");
  });
});

describe("a floor that a publisher sets", () => {
  test("holds for its own component while it is trusted, and goes with its key", async () => {
    const { fleet, acme, other } = await createPublished();
    await using _ = fleet;
    const gateway = createGateway(fleet);
    const publisher = { name: "acme", paths: ["boiler/*"], targets: [boiler1, boiler2] };
    await publishWithPublishers(fleet, [{ ...publisher, keys: [acme], floors: { [boiler2]: 1000 } }], { round: 100 });
    await expectRefused(gateway, "trust.counter");
    await publishWithPublishers(fleet, [{ ...publisher, keys: [acme], version: 2 }], { round: 101 });
    await expectRefused(gateway, "trust.counter");
    await publishWithPublishers(fleet, [{ ...publisher, keys: [other], version: 3 }], { round: 102 });
    await expectDeployed(gateway, 1);
  });

  test("does not count where it lists what it is not trusted with", async () => {
    const { fleet, acme } = await createPublished();
    await using _ = fleet;
    await deployTo(fleet, "plant-7", "boiler@1.1.0");
    const publisher = { name: "acme", paths: ["boiler/1.1.*"], keys: [acme], targets: [boiler1, boiler2] };
    await publishWithPublishers(fleet, [{ ...publisher, floors: { [boiler1]: 1000 } }]);
    await expectDeployed(createGateway(fleet), 2);
  });

  test("cannot undo the floor of the repository's own targets", async () => {
    await using fleet = await createFleet();
    await release(fleet, { version: "1.0.0" });
    await release(fleet, { version: "1.1.0", floor: 2 });
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    const gateway = createGateway(fleet);
    await expectRefused(gateway, "trust.counter");
    const acme = await createKey(join(fleet.workspace.directory, "keys", "acme.pem"));
    await publishWithPublishers(fleet, [{ name: "acme", paths: ["boiler/1.0.*"], keys: [acme], targets: [boiler1] }]);
    await expectRefused(gateway, "trust.counter");
  });

  test("holds for what the repository's own targets list, as long as it is trusted with that path", async () => {
    const { fleet, acme } = await createPublished();
    await using _ = fleet;
    const gateway = createGateway(fleet);
    await deployTo(fleet, "plant-7", "boiler@1.1.0");
    const publisher = { name: "acme", paths: ["boiler/*"], keys: [acme], targets: [boiler2], floors: { [boiler2]: 2 } };
    await publishWithPublishers(fleet, [publisher], { round: 100 });
    await expectDeployed(gateway, 2);
    await publishWithPublishers(fleet, [publisher], { round: 101 });
    // The first release is the repository's own: nobody need look at acme's metadata to find it.
    await deployTo(fleet, "plant-7", "boiler@1.0.0");
    expect(await gateway.refresh()).toMatchObject({ kind: "refused", rule: "trust.counter" });
    await publishWithPublishers(fleet, [{ ...publisher, paths: ["pump/*"] }], { round: 102 });
    await expectDeployed(gateway, 3);
  });
});
