// An operator's key is stolen: the thief commands until the list of operators changes, and changes nothing that runs.
import { expect, test } from "vitest";
import { systemRandom } from "../../src/base/random.ts";
import { verifyCommand } from "../../src/control/verifyCommand.ts";
import { revokeKey, rotateKey } from "../../src/operator/ceremony/changeKeys.ts";
import { publishAll } from "../../src/operator/ceremony/takeEffect.ts";
import { signCommand } from "../../src/operator/command.ts";
import { loadOperatorKey } from "../../src/operator/operators.ts";
import type { SigningKey } from "../../src/operator/keys/key.ts";
import { createFleet, expectDeployed, startGateway } from "../support/fleet.ts";
import type { Fleet, Gateway } from "../support/fleet.ts";

async function command(fleet: Fleet, gateway: Gateway, key: SigningKey): Promise<unknown> {
  const { clock } = fleet.workspace;
  const call = { gateway: gateway.id, component: "boiler", method: "relay", lifetimeMs: 1000 };
  const { token } = await signCommand({ ...call, key, clock, random: systemRandom });
  const { operators } = await expectDeployed(gateway, 1);
  return verifyCommand(token, { gateway: gateway.id, operators, nowMs: clock.nowMs() });
}

test("refuses the stolen key and obeys the new one, with the deployment as it was", async () => {
  await using fleet = await createFleet();
  const gateway = await startGateway(fleet);
  const stolen = await loadOperatorKey(fleet.workspace);
  expect(await command(fleet, gateway, stolen)).toMatchObject({ method: "relay" });

  const change = await rotateKey(fleet.workspace, "operator");
  await publishAll(fleet.workspace, fleet.publisher);
  expect(change).toMatchObject({ operators: true, proposals: [] });
  expect(await command(fleet, gateway, stolen)).toMatchObject({ rule: "command.signature" });
  const fresh = await loadOperatorKey(fleet.workspace);
  expect(fresh.keyId).not.toBe(stolen.keyId);
  expect(await command(fleet, gateway, fresh)).toMatchObject({ method: "relay" });
});

test("leaves nobody to command when the only key is revoked, and says how to go on", async () => {
  await using fleet = await createFleet();
  const gateway = await startGateway(fleet);
  const stolen = await loadOperatorKey(fleet.workspace);
  await revokeKey(fleet.workspace, "operator");
  await publishAll(fleet.workspace, fleet.publisher);
  expect(await command(fleet, gateway, stolen)).toMatchObject({ rule: "command.signature" });
  await expect(loadOperatorKey(fleet.workspace)).rejects.toMatchObject({ code: "key-missing" });
});
