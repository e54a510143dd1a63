// What the operator signs, the gateway accepts, and the operator refuses to sign what no gateway would.
import { sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { limits } from "../../../src/base/limits.ts";
import { readCommandId, verifyCommand } from "../../../src/control/verifyCommand.ts";
import { signCommand } from "../../../src/operator/command.ts";
import { createAgentClock, createOperator, gateway, listOperators } from "../../support/commands.ts";

const anna = createOperator("anna", ["boiler/set"]);
const clock = createAgentClock(1_700_000_000_999);
let count = 0;
const random = { uuid: () => `00000000-0000-4000-8000-00000000000${(count += 1)}`, fraction: () => 0 };
const request = {
  key: { keyId: anna.keyId, sign: async (bytes: Uint8Array) => sign(null, bytes, anna.privateKey) },
  gateway,
  component: "boiler",
  method: "set",
  lifetimeMs: 1500,
  clock,
  random,
};

describe("a command that the operator signs", () => {
  it("is accepted by the gateway it is for, with its parameters", async () => {
    const { id, token } = await signCommand({ ...request, params: { celsius: 61.5 } });
    const context = { gateway, operators: listOperators(anna), nowMs: clock.nowMs() };
    expect(await verifyCommand(token, context)).toEqual({
      jti: id,
      aud: gateway,
      iat: 1_700_000_000,
      exp: 1_700_000_002,
      component: "boiler",
      method: "set",
      params: { celsius: 61.5 },
    });
    expect(readCommandId(token)).toBe(id);
  });

  it("has an id of its own each time", async () => {
    expect((await signCommand(request)).id).not.toBe((await signCommand(request)).id);
  });

  it("may live as long as a gateway accepts", async () => {
    const { token } = await signCommand({ ...request, lifetimeMs: limits.command.lifetimeMs });
    const context = { gateway, operators: listOperators(anna), nowMs: clock.nowMs() };
    expect(await verifyCommand(token, context)).toMatchObject({ component: "boiler" });
  });

  it.each([0, -1, Number.NaN, limits.command.lifetimeMs + 1])("is not signed for a lifetime of %d ms", async (ms) => {
    await expect(signCommand({ ...request, lifetimeMs: ms })).rejects.toMatchObject({ code: "lifetime" });
  });

  it("is not signed when a gateway would not read it", async () => {
    const params = "x".repeat(limits.command.tokenBytes);
    await expect(signCommand({ ...request, params })).rejects.toMatchObject({ code: "too-large" });
    await expect(signCommand({ ...request, method: "" })).rejects.toMatchObject({ code: "invalid" });
  });
});
