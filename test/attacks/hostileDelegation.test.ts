// Attack: delegations that are there to hurt: lists that fill the gateway's memory for good, patterns that never end, names that are paths.
import { join } from "node:path";
import { Delegations } from "@tufjs/models/dist/delegations.js";
import { DelegatedRole, SuccinctRoles } from "@tufjs/models/dist/role.js";
import { describe, test } from "vitest";
import { createKey, type SigningKey } from "../../src/operator/keys/key.ts";
import { publishWithPublishers, toTufKey } from "../support/delegate.ts";
import { createFleet, createGateway, deployTo, expectDeployed, expectRefused, release } from "../support/fleet.ts";
import type { Fleet } from "../support/fleet.ts";

const boiler = "boiler/1.0.0.wasm";

async function createPublished(): Promise<{ fleet: Fleet; acme: SigningKey }> {
  const fleet = await createFleet();
  await release(fleet, { version: "1.0.0" });
  await deployTo(fleet, "plant-7", "boiler@1.0.0");
  return { fleet, acme: await createKey(join(fleet.workspace.directory, "keys", "acme.pem")) };
}

function delegateTo(key: SigningKey, role: Partial<ConstructorParameters<typeof DelegatedRole>[0]>): Delegations {
  const named = { name: "mole", keyIDs: [key.keyId], threshold: 1, terminating: true };
  const delegated = new DelegatedRole({ ...named, paths: ["boiler/*"], ...role });
  return new Delegations({ keys: { [key.keyId]: toTufKey(key) }, roles: { [delegated.name]: delegated } });
}

describe("a publisher", () => {
  test("that delegates further is refused, and what it listed there is not remembered", async () => {
    const { fleet, acme } = await createPublished();
    await using _ = fleet;
    const gateway = createGateway(fleet);
    const publisher = { name: "acme", paths: ["boiler/*"], keys: [acme] };
    const keyIDs = [acme.keyId, ...Array.from({ length: 6000 }, (_, index) => index.toString(16).padStart(64, "0"))];
    const mole = { ...publisher, name: "mole", paths: ["none/*"], targets: [boiler] };
    await publishWithPublishers(fleet, [
      { ...publisher, targets: [], delegations: delegateTo(acme, { keyIDs }) },
      mole,
    ]);
    await expectRefused(gateway, "trust.malformed");
    await publishWithPublishers(
      fleet,
      [
        { ...publisher, version: 2, targets: [boiler] },
        { ...mole, targets: [] },
      ],
      {
        round: 101,
      },
    );
    await expectDeployed(gateway, 1);
  });
});

describe("the repository's targets", () => {
  test.each([
    "boiler/+(+(+(0)))*",
    "boiler/*(*(*(1.)))",
    "boiler/{1..9999999}*",
    "boiler/[0-9]*",
    "x".repeat(300),
    "boiler/*a*b*c",
  ])("are refused with the path pattern %s, which the operator's tools never write", async (pattern) => {
    const { fleet, acme } = await createPublished();
    await using _ = fleet;
    await publishWithPublishers(fleet, [{ name: "acme", paths: [pattern], keys: [acme], targets: [] }]);
    await expectRefused(createGateway(fleet), "trust.malformed");
  });

  test("are refused with hash bins, whose names and paths nobody reads", async () => {
    const { fleet, acme } = await createPublished();
    await using _ = fleet;
    const keys = { [acme.keyId]: toTufKey(acme) };
    const bins = new SuccinctRoles({ keyIDs: [acme.keyId], threshold: 1, bitLength: 1, namePrefix: "../../floors" });
    const named = { name: "acme", keyIDs: [acme.keyId], threshold: 1, terminating: true };
    const hashed = new DelegatedRole({ ...named, pathHashPrefixes: [""] });
    for (const delegations of [
      new Delegations({ keys, succinctRoles: bins }),
      new Delegations({ keys, roles: { acme: hashed } }),
    ]) {
      await publishWithPublishers(fleet, [], { delegations });
      await expectRefused(createGateway(fleet), "trust.malformed");
    }
  });

  test("are refused with more keys for a publisher than can be remembered", async () => {
    const { fleet, acme } = await createPublished();
    await using _ = fleet;
    const keyIDs = [acme.keyId, ...Array.from({ length: 6000 }, (_, index) => index.toString(16).padStart(64, "0"))];
    const publisher = { name: "acme", paths: ["boiler/*"], keys: [acme], targets: [boiler] };
    const gateway = createGateway(fleet);
    await publishWithPublishers(fleet, [publisher], { delegations: delegateTo(acme, { name: "acme", keyIDs }) });
    await expectRefused(gateway, "trust.malformed");
    await publishWithPublishers(fleet, [{ ...publisher, version: 2 }], { round: 101 });
    await expectDeployed(gateway, 1);
  });
});
