// Signs commands: one token that one gateway carries out once, within its lifetime.
import type { KeyObject } from "node:crypto";
import { SignJWT } from "jose";
import type { Clock } from "../base/clock.ts";
import { OutstationError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { commandAlgorithm, commandSchema } from "../protocol/command.ts";
import { parseValue } from "../protocol/document.ts";

export class CommandError extends OutstationError<"lifetime" | "too-large"> {}

export interface CommandRequest {
  /** Ed25519. */
  readonly privateKey: KeyObject;
  /** As the director's operators.json names the public key. */
  readonly keyId: string;
  readonly gateway: string;
  readonly component: string;
  readonly method: string;
  /** JSON; left out for a method without parameters. */
  readonly params?: unknown;
  /** How long the gateway may still begin it, whole seconds rounded up; at most limits.command.lifetimeMs. */
  readonly lifetimeMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

export interface SignedCommand {
  /** The topic level of the command and of its result. */
  readonly id: string;
  readonly token: Uint8Array;
}

/** Throws CommandError, or DocumentError when component, method or parameters do not make a command. */
export async function signCommand(request: CommandRequest): Promise<SignedCommand> {
  const { lifetimeMs, params } = request;
  if (!(lifetimeMs > 0 && lifetimeMs <= limits.command.lifetimeMs))
    throw new CommandError(
      "lifetime",
      `A command lives at most ${limits.command.lifetimeMs / 1000} s and more than 0, not ${lifetimeMs / 1000} s.`,
    );
  const iat = Math.floor(request.clock.nowMs() / 1000);
  const command = parseValue(
    commandSchema,
    {
      jti: request.random.uuid(),
      aud: request.gateway,
      iat,
      exp: Math.min(iat + Math.ceil(lifetimeMs / 1000), iat + limits.command.lifetimeMs / 1000),
      component: request.component,
      method: request.method,
      ...(params === undefined ? {} : { params }),
    },
    { what: "command" },
  );
  const text = await new SignJWT({ ...command })
    .setProtectedHeader({ alg: commandAlgorithm, kid: request.keyId, typ: "JWT" })
    .sign(request.privateKey);
  const token = new TextEncoder().encode(text);
  if (token.length > limits.command.tokenBytes)
    throw new CommandError(
      "too-large",
      `The command has ${token.length} bytes; a gateway reads ${limits.command.tokenBytes}. Send smaller parameters.`,
    );
  return { id: command.jti, token };
}
