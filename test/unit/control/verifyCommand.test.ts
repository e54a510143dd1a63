// A command is carried out only when every rule holds; each broken rule is refused by its name, with what to do.
import { generateKeyPairSync } from "node:crypto";
import { SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { limits } from "../../../src/base/limits.ts";
import { readCommandId, verifyCommand } from "../../../src/control/verifyCommand.ts";
import { rules } from "../../../src/protocol/refusal.ts";
import { createOperator, gateway, listOperators, signToken } from "../../support/commands.ts";

const nowMs = 1_700_000_000_000;
const now = nowMs / 1000;
const anna = createOperator("anna", ["boiler/set", "lamp/*"]);
const root = createOperator("root", ["*"]);
const context = { gateway, operators: listOperators(anna, root), nowMs };
const claims = { jti: "command-0001", aud: gateway, iat: now, exp: now + 60, component: "boiler", method: "set" };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

async function verify(change: object, operator = root) {
  return verifyCommand(await signToken(operator, { ...claims, ...change }), context);
}

describe("a command token", () => {
  it("is accepted with its parameters when every rule holds", async () => {
    expect(await verify({ params: { celsius: 61.5 } })).toEqual({ ...claims, params: { celsius: 61.5 } });
    expect(await verify({})).toEqual(claims);
  });

  it.each([
    ["an expired one", { iat: now - 600, exp: now - 60 }, "command.expired"],
    ["one from the future", { iat: now + 61, exp: now + 90 }, "command.expired"],
    ["one that lives too long", { exp: now + limits.command.lifetimeMs / 1000 + 1 }, "command.expired"],
    ["one that expires before it is issued", { iat: now + 20, exp: now + 20 }, "command.expired"],
    ["one for another gateway", { aud: "site-13" }, "command.gateway"],
    ["one for a list of gateways", { aud: [gateway] }, "command.malformed"],
    ["one without id", { jti: undefined }, "command.malformed"],
    ["one whose id is a path", { jti: "../../etc/passwd" }, "command.malformed"],
    ["one without expiry", { exp: undefined }, "command.malformed"],
    ["one whose times are texts", { exp: "tomorrow" }, "command.malformed"],
    ["one without method", { method: "" }, "command.malformed"],
  ])("refuses %s", async (_what, change, rule) => {
    const outcome = await verify(change);
    expect(outcome).toMatchObject({ kind: "refused", rule });
    expect(Object.keys(rules)).toContain(rule);
    expect(outcome).toMatchObject({ seen: expect.stringMatching(/\w/), fix: expect.stringMatching(/\w/) });
  });

  it.each([
    ["just expired by a clock that is ahead", { iat: now - 600, exp: now - 59 }],
    ["just issued by a clock that is ahead", { iat: now + 60, exp: now + 90 }],
    ["as long-lived as allowed", { exp: now + limits.command.lifetimeMs / 1000 }],
  ])("accepts one %s", async (_what, change) => {
    expect(await verify(change)).toMatchObject({ jti: claims.jti });
  });

  it.each([
    ["boiler", "set", true],
    ["boiler", "reset", false],
    ["lamp", "set", true],
    ["lamp2", "set", false],
    ["boiler/set", "x", false],
  ])("lets a key call only what is listed for it: %s %s", async (component, method, allowed) => {
    const outcome = await verify({ component, method }, anna);
    expect(outcome).toMatchObject(allowed ? { component, method } : { kind: "refused", rule: "command.permission" });
  });

  it("lets a key with an empty list call nothing", async () => {
    const nobody = createOperator("nobody", []);
    const token = await signToken(nobody, claims);
    const outcome = await verifyCommand(token, { ...context, operators: listOperators(nobody) });
    expect(outcome).toMatchObject({ rule: "command.permission", seen: expect.stringContaining("nothing") });
  });

  it("is refused when its key is not listed, or listed under another id, or nothing is listed", async () => {
    const stranger = createOperator("stranger", ["*"]);
    const token = await signToken(stranger, claims);
    expect(await verifyCommand(token, context)).toMatchObject({ rule: "command.signature" });
    expect(await verifyCommand(token, { ...context, operators: undefined })).toMatchObject({
      rule: "command.signature",
    });
    for (const kid of [anna.keyId, "__proto__", "constructor", 7, undefined])
      expect(await verifyCommand(await signToken(root, claims, { kid }), context)).toMatchObject({
        rule: "command.signature",
      });
  });

  it("is refused when a claim was changed after signing", async () => {
    const [header, , signature] = Buffer.from(await signToken(anna, claims))
      .toString()
      .split(".");
    const forged = bytes(`${header}.${encode({ ...claims, component: "lamp" })}.${signature}`);
    expect(await verifyCommand(forged, context)).toMatchObject({ rule: "command.signature" });
  });

  it.each(["none", "HS256", "RS256", "Ed448", undefined, ["EdDSA"]])("is refused with algorithm %j", async (alg) => {
    const token = bytes(`${encode({ alg, kid: root.keyId })}.${encode(claims)}.`);
    expect(await verifyCommand(token, context)).toMatchObject({ rule: "command.signature" });
  });

  it("is refused when the public key was used as the secret of a shared one", async () => {
    const text = await new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256", kid: root.keyId })
      .sign(Buffer.from(root.listed.publicKey, "base64url"));
    expect(await verifyCommand(bytes(text), context)).toMatchObject({ rule: "command.signature" });
  });

  it("is refused when the listed key is not an Ed25519 key", async () => {
    const { publicKey } = generateKeyPairSync("ed448");
    for (const x of ["", "AAAA", "not base64!", String(publicKey.export({ format: "jwk" }).x)]) {
      const listed = { ...root, listed: { ...root.listed, publicKey: x } };
      const outcome = await verifyCommand(await signToken(root, claims), {
        ...context,
        operators: listOperators(listed),
      });
      expect(outcome).toMatchObject({ rule: "command.signature" });
    }
  });

  it.each([
    ["nothing", ""],
    ["two dots", ".."],
    ["text", "set the boiler"],
    ["a header that is no JSON", "AAAA.AAAA.AAAA"],
    ["a signature that is no base64", `${encode({ alg: "EdDSA", kid: root.keyId })}.${encode(claims)}.***`],
    ["five parts", "a.b.c.d.e"],
  ])("is malformed when it is %s", async (_what, text) => {
    expect(await verifyCommand(bytes(text), context)).toMatchObject({ rule: "command.malformed" });
    expect(await verifyCommand(Uint8Array.of(0xff, 0xfe, 0), context)).toMatchObject({ rule: "command.malformed" });
  });

  it("is malformed when its header demands extensions or its payload is no object", async () => {
    const critical = await new SignJWT(claims)
      .setProtectedHeader({ alg: "EdDSA", kid: root.keyId, crit: ["x"], x: 1 })
      .sign(root.privateKey, { crit: { x: true } });
    expect(await verifyCommand(bytes(critical), context)).toMatchObject({ rule: "command.malformed" });
  });

  it("is refused unread when it is too large", async () => {
    const token = new Uint8Array(limits.command.tokenBytes + 1);
    expect(await verifyCommand(token, context)).toMatchObject({
      rule: "command.malformed",
      seen: expect.stringContaining(String(token.length)),
    });
    expect(readCommandId(token)).toBeUndefined();
  });

  it("gives its claimed id only when that is safe to answer to", async () => {
    expect(readCommandId(await signToken(root, claims))).toBe("command-0001");
    expect(readCommandId(bytes("x.y.z"))).toBeUndefined();
    for (const jti of ["a/+/#", "short", 12_345_678, undefined])
      expect(readCommandId(bytes(`e30.${encode({ jti })}.`))).toBeUndefined();
  });
});
