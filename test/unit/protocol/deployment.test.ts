// What a deployment may say, on both sides: the operator that signs it and the gateway that reads it.
import { expect, it } from "vitest";
import { deploymentSchema } from "../../../src/protocol/deployment.ts";
import { parseDocument, parseValue } from "../../../src/protocol/document.ts";
import { deployComponents } from "../../../src/operator/deployComponents.ts";
import { createFleet, createGateway, deployTo, expectRefused, release } from "../../support/fleet.ts";
import { forgeDirector } from "../../support/forgeDirector.ts";

const agent = { agent: { release: "boiler@1.0.0" } };
const words = 'the name "agent" is the agent\'s own';

it("has no component of the agent's own name", () => {
  const deployment = { version: 1, gateway: "g", components: agent };
  expect(() => parseValue(deploymentSchema, deployment, { what: "deployment" })).toThrow(words);
  const near = { ...deployment, components: { "agent-2": agent.agent } };
  expect(parseValue(deploymentSchema, near, { what: "deployment" }).version).toBe(1);
});

it("is not signed with a component of the agent's own name", async () => {
  await using fleet = await createFleet();
  await release(fleet, { version: "1.0.0" });
  const text = new TextEncoder().encode(JSON.stringify({ components: agent }));
  await expect(
    deployComponents(fleet.workspace, "plant-7", { kind: "document", text, source: "x.json" }),
  ).rejects.toMatchObject({ code: "deployment-invalid", message: expect.stringContaining(words) });
});

it("is refused by a gateway when a thief of the director's key signs such a name", async () => {
  await using fleet = await createFleet();
  await release(fleet, { version: "1.0.0" });
  await deployTo(fleet, "plant-7", "boiler@1.0.0");
  const gateway = createGateway(fleet);
  await gateway.refresh();
  const deployment = { version: 2, gateway: "plant-7", components: agent };
  await forgeDirector(fleet, "plant-7", [
    { path: "deployment.json", bytes: new TextEncoder().encode(JSON.stringify(deployment)) },
  ]);
  await expectRefused(gateway, "deployment.malformed");
});

it.each([
  '{"components":{"constructor":{"release":"boiler@1.0.0"}}}',
  '{"components":{"boiler":{"release":"boiler@1.0.0","grants":{"serial":{"prototype":"read"}}}}}',
  '{"components":{"boiler":{"release":"boiler@1.0.0","config":{"a":[{"__proto__":1}]}}}}',
])("is refused with a name that would be left out without a word: %s", (text) => {
  const document = { ...(JSON.parse(text) as object), version: 1, gateway: "plant-7" };
  expect(() => parseValue(deploymentSchema, document, { what: "deployment" })).toThrow(
    /that JavaScript has for itself/,
  );
});

it("is refused with any nesting, and takes no stack for it", () => {
  const depth = 100_000;
  const text = `{"version":1,"gateway":"g","components":${"[".repeat(depth)}${"]".repeat(depth)}}`;
  expect(() => parseDocument(deploymentSchema, text, { what: "deployment" })).toThrow(/is not valid/);
});
