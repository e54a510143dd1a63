// An operator with a key and a gateway's view of it, for tests of commands.
import { generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { SignJWT } from "jose";
import type { Clock } from "../../src/base/clock.ts";
import type { Operators } from "../../src/protocol/command.ts";
import { createManualClock } from "./manualDeviceClock.ts";

export const gateway = "site-12";

export interface TestOperator {
  readonly keyId: string;
  readonly privateKey: KeyObject;
  readonly listed: Operators["keys"][string];
}

export function createOperator(name: string, may: readonly string[]): TestOperator {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const { x = "" } = publicKey.export({ format: "jwk" });
  return { keyId: `key-of-${name}`, privateKey, listed: { name, publicKey: x, may: [...may] } };
}

export function listOperators(...operators: readonly TestOperator[]): Operators {
  return { keys: Object.fromEntries(operators.map((operator) => [operator.keyId, operator.listed])) };
}

/** A token with whatever claims and header a test wants, signed as asked. */
export async function signToken(
  operator: TestOperator,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): Promise<Uint8Array> {
  const text = await new SignJWT(claims)
    .setProtectedHeader({ alg: "EdDSA", kid: operator.keyId, ...header })
    .sign(operator.privateKey);
  return new TextEncoder().encode(text);
}

export function createAgentClock(startMs?: number): Clock & { advance(ms: number): void } {
  const clock = createManualClock(startMs);
  return {
    nowMs: clock.nowMs,
    monotonicMs: () => Number(clock.monotonicNs() / 1_000_000n),
    after: clock.after,
    sleep: () => Promise.reject(new Error("nothing in this test sleeps")),
    advance: clock.advance,
  };
}
