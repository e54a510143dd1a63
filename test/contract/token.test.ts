// A whole fleet whose online keys live in a PKCS#11 token: roots, deployments and commands signed there, gateways content.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemRandom } from "../../src/base/random.ts";
import { verifyCommand } from "../../src/control/verifyCommand.ts";
import { rotateKey } from "../../src/operator/ceremony/changeKeys.ts";
import { signCommand } from "../../src/operator/command.ts";
import { findKey, listKeys, openKeyNamed } from "../../src/operator/keys/keyring.ts";
import { loadOperatorKey } from "../../src/operator/operators.ts";
import { completeRoot } from "../support/ceremony.ts";
import { createFleet, deployTo, expectDeployed, release, startGateway } from "../support/fleet.ts";
import type { Fleet } from "../support/fleet.ts";
import { describeNeeding } from "../support/needs.ts";
import { createToken, pin, softHsmMissing, softHsmModule as module } from "../support/softHsm.ts";
import { createTemporaryDirectory } from "../support/temporaryDirectory.ts";

describeNeeding(softHsmMissing, "a fleet with a token", () => {
  const cleanup = new AsyncDisposableStack();
  beforeAll(async () => {
    await createToken(cleanup.use(await createTemporaryDirectory()).path, "fleet");
  });
  afterAll(() => cleanup.disposeAsync());

  /** The fleet as opened by who knows the PIN. */
  function withPin({ workspace, ...fleet }: Fleet): Fleet {
    const secrets = { ...workspace.secrets, pin };
    const keys = join(workspace.directory, "keys");
    return {
      ...fleet,
      workspace: {
        ...workspace,
        secrets,
        loadKey: (name) => openKeyNamed(keys, name, secrets),
        findKey: (keyId) => findKey(keys, keyId, secrets),
      },
    };
  }

  test("moves every online key into it and goes on", async () => {
    await using made = await createFleet();
    const gateway = await startGateway(made);
    const fleet = withPin(made);
    const { workspace } = fleet;
    const names = ["targets", "snapshot", "timestamp", "director", "operator"];
    const token = (label: string): { token: { module: string; token: string; label: string } } => ({
      token: { module, token: "fleet", label },
    });
    const changes = [];
    for (const name of names) changes.push(await rotateKey(workspace, name, token(name)));
    await completeRoot(fleet, changes[0]?.proposals[0], ["root-1", "root-2"]);
    await completeRoot(fleet, changes[3]?.proposals[0], ["director-root"]);
    for (const name of names) await rm(join(workspace.directory, "keys", `${name}.pem`));
    const kept = await listKeys(join(workspace.directory, "keys"));
    expect(kept.filter(({ place }) => place === "pkcs11").map(({ name }) => name)).toEqual(
      names.map((name) => `${name}-2`).sort(),
    );
    await release(fleet, { version: "1.1.0" });
    await deployTo(fleet, "plant-7", "boiler@1.1.0");
    const { operators } = await expectDeployed(gateway, 2);

    const key = await loadOperatorKey(workspace);
    const call = { gateway: gateway.id, component: "boiler", method: "relay", lifetimeMs: 1000 };
    const { clock } = workspace;
    const signed = await signCommand({ ...call, key, clock, random: systemRandom });
    const context = { gateway: gateway.id, operators, nowMs: clock.nowMs() };
    expect(await verifyCommand(signed.token, context)).toMatchObject({ method: "relay" });
  });
});
