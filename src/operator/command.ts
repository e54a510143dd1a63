// Signs commands: one token that one gateway carries out once, within its lifetime.
import type { Clock } from "../base/clock.ts";
import { OutstationError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { commandAlgorithm, commandSchema } from "../protocol/command.ts";
import { parseValue } from "../protocol/document.ts";
import type { SigningKey } from "./keys/key.ts";

export class CommandError extends OutstationError<"lifetime" | "too-large"> {}

export interface CommandRequest {
  /** Ed25519; the director's operators.json names it by its id. */
  readonly key: Pick<SigningKey, "keyId" | "sign">;
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
  const token = await signToken({ alg: commandAlgorithm, kid: request.key.keyId, typ: "JWT" }, command, request.key);
  if (token.length > limits.command.tokenBytes)
    throw new CommandError(
      "too-large",
      `The command has ${token.length} bytes; a gateway reads ${limits.command.tokenBytes}. Send smaller parameters.`,
    );
  return { id: command.jti, token };
}

/** RFC 7515 5.1, compact: a key in a token signs it as one in a file does. */
async function signToken(
  header: Readonly<Record<string, string>>,
  claims: object,
  key: Pick<SigningKey, "sign">,
): Promise<Uint8Array> {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");
  const input = `${encode(header)}.${encode(claims)}`;
  const signature = await key.sign(new TextEncoder().encode(input));
  return new TextEncoder().encode(`${input}.${Buffer.from(signature).toString("base64url")}`);
}
