// Attack: whoever has the operator's machine hands the offline keys a proposal that changes more than its description shows.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { renewRoot } from "../../src/operator/ceremony/changeKeys.ts";
import { changeTargets } from "../../src/operator/ceremony/changeTargets.ts";
import { signProposal } from "../../src/operator/ceremony/sign.ts";
import { createKey } from "../../src/operator/keys/key.ts";
import { addPublisher } from "../../src/operator/repository/delegations.ts";
import { imageDirectory } from "../../src/operator/repository/places.ts";
import { keyFile } from "../support/ceremony.ts";
import { createFleet, release, type Fleet } from "../support/fleet.ts";

interface Role extends Record<string, unknown> {
  name: string;
  keyids: string[];
}

interface Signed extends Record<string, unknown> {
  version: number;
  targets: Record<string, { custom: Record<string, unknown> }>;
  delegations: { keys: Record<string, { keyval: { public: string } }>; roles: Role[]; succinct_roles?: unknown };
}

/** What the holder of the targets key sees of the newest targets, after they were changed by hand. */
async function show({ workspace }: Fleet, change: (signed: Signed) => void): Promise<readonly string[]> {
  const beforePath = join(imageDirectory(workspace), "4.targets.json");
  const document = JSON.parse(await readFile(beforePath, "utf8")) as { signatures: unknown[]; signed: Signed };
  document.signed.version = 5;
  document.signatures = [];
  change(document.signed);
  const path = join(workspace.directory, "targets.5.json");
  await writeFile(path, JSON.stringify(document));
  const keyPath = keyFile(workspace, "targets");
  const request = { kind: "targets", path, keyPath, beforePath, secrets: workspace.secrets } as const;
  return (await signProposal(request)).lines.slice(2, -1);
}

async function createPublished(): Promise<Fleet> {
  const fleet = await createFleet();
  const { workspace } = fleet;
  await release(fleet, { version: "1.0.0" });
  for (const name of ["acme", "bolt"]) {
    const keys = [await createKey(keyFile(workspace, name))];
    const publisher = { name, paths: [`${name}-*/*`], keys, threshold: 1 };
    await changeTargets(workspace, "targets", ({ targets, delegations }) => ({
      targets,
      delegations: addPublisher(delegations, publisher),
    }));
  }
  return fleet;
}

function roleOf({ delegations }: Signed, name: string): Role {
  const role = delegations.roles.find((listed) => listed.name === name);
  if (role === undefined) throw new Error(`there is no ${name}`);
  return role;
}

describe("a proposal of targets", () => {
  test("says that nothing changes only when nothing does", async () => {
    await using fleet = await createPublished();
    expect(await show(fleet, () => undefined)).toEqual(["  the same releases and publishers"]);
  });

  test.each<[string, (signed: Signed) => void]>([
    [
      "a publisher's key that is another's under its id",
      (signed) => {
        const [keyId = ""] = roleOf(signed, "acme").keyids;
        signed.delegations.keys[keyId] = { ...signed.delegations.keys[keyId], keyval: { public: "0".repeat(64) } };
      },
    ],
    [
      "a publisher with no paths but hashes of paths",
      (signed) => {
        const { paths: _, ...role } = roleOf(signed, "acme");
        signed.delegations.roles = [{ ...role, path_hash_prefixes: [""] }];
      },
    ],
    ["a publisher whose word is not the last", (signed) => void (roleOf(signed, "acme")["terminating"] = false)],
    [
      "hash bins",
      ({ delegations }) => {
        const bins = { keyids: [], threshold: 1, bit_length: 1, name_prefix: "bin" };
        Object.assign(delegations, { roles: undefined, succinct_roles: bins });
      },
    ],
  ])("is not signed with %s", async (_what, change) => {
    await using fleet = await createPublished();
    await expect(show(fleet, change)).rejects.toMatchObject({ code: expect.stringMatching(/-invalid$/) });
  });

  test("shows what is said of a release besides its bytes: its counter and its floor", async () => {
    await using fleet = await createPublished();
    const raise = (signed: Signed): void => {
      const target = signed.targets["boiler/1.0.0.wasm"];
      if (target !== undefined) Object.assign(target.custom, { floor: 9, counter: 9 });
    };
    expect(await show(fleet, raise)).toEqual([
      expect.stringContaining("~ boiler/1.0.0.wasm"),
      "      counter: 1, from now on 9",
      "      floor: not there, from now on 9",
    ]);
    const addNext = (signed: Signed): void => {
      raise(signed);
      signed.targets = {
        ...signed.targets,
        "boiler/2.0.0.wasm": structuredClone(Object.values(signed.targets)[0]) as never,
      };
    };
    expect(await show(fleet, addNext)).toContainEqual(
      expect.stringMatching(/\+ boiler\/2\.0\.0\.wasm {2}\d+ bytes {2}sha256 [0-9a-f]{64} {2}counter 9 {2}floor 9/),
    );
  });

  test("shows in which order publishers are asked, and fields that it does not know", async () => {
    await using fleet = await createPublished();
    expect(await show(fleet, ({ delegations }) => void (delegations.roles = delegations.roles.toReversed()))).toEqual([
      "  ~ publishers are asked in this order from now on: bolt, acme",
    ]);
    expect(await show(fleet, (signed) => void (signed["policy"] = { open: true }))).toEqual([
      '  ~ policy: not there, from now on {"open":true}',
    ]);
  });
});

test("a proposal of a root is not signed when gateways would look for files under other names", async () => {
  await using fleet = await createFleet();
  const { workspace } = fleet;
  const path = await renewRoot(workspace, "image");
  const document = JSON.parse(await readFile(path, "utf8")) as { signed: Record<string, unknown> };
  document.signed["consistent_snapshot"] = false;
  await writeFile(path, JSON.stringify(document));
  const request = { kind: "root", path, keyPath: keyFile(workspace, "root-1"), secrets: workspace.secrets } as const;
  await expect(signProposal(request)).rejects.toMatchObject({ code: "proposal-invalid" });
});
