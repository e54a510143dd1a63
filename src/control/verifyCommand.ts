// Decides from a command token and the director's list of operators alone whether the command may be carried out here.
import { compactVerify, decodeJwt, decodeProtectedHeader, errors, importJWK } from "jose";
import { limits } from "../base/limits.ts";
import { commandAlgorithm, commandSchema, isCommandId } from "../protocol/command.ts";
import type { Command, Operators } from "../protocol/command.ts";
import { DocumentError, parseDocument } from "../protocol/document.ts";
import { isRefusal, refuse } from "../protocol/refusal.ts";
import type { Refusal } from "../protocol/refusal.ts";

export interface CommandContext {
  /** Our own id. */
  readonly gateway: string;
  /** The director's list, verified; undefined while there is none, which lists nobody. */
  readonly operators: Operators | undefined;
  readonly nowMs: number;
}

type Operator = Operators["keys"][string];

/** A command that may run here now, unless it ran before; the refusal of the first rule that it breaks otherwise. */
export async function verifyCommand(token: Uint8Array, context: CommandContext): Promise<Command | Refusal> {
  if (token.length > limits.command.tokenBytes)
    return malformed(`The token has ${token.length} bytes; at most ${limits.command.tokenBytes} are read.`);
  const text = new TextDecoder().decode(token);
  const operator = findOperator(text, context.operators);
  if (isRefusal(operator)) return operator;
  const command = await verifySignature(text, operator);
  if (isRefusal(command)) return command;
  return (
    refuseWrongGateway(command, context) ??
    refuseWrongTime(command, context.nowMs) ??
    refuseUnlisted(command, operator) ??
    command
  );
}

/** The id that a token claims, unverified: good enough to address a refusal to, and for nothing else. */
export function readCommandId(token: Uint8Array): string | undefined {
  if (token.length > limits.command.tokenBytes) return undefined;
  try {
    const { jti } = decodeJwt(new TextDecoder().decode(token));
    return typeof jti === "string" && isCommandId(jti) ? jti : undefined;
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}

/** RFC 7515 4.1.1, 4.1.4: the header names algorithm and key; we choose both from our own lists (RFC 8725 3.1). */
function findOperator(text: string, operators: Operators | undefined): Operator | Refusal {
  let header: ReturnType<typeof decodeProtectedHeader>;
  try {
    header = decodeProtectedHeader(text);
  } catch (error) {
    // This function of jose throws plain TypeErrors for whatever is not a token.
    return malformed(`The token has no readable header (${error instanceof Error ? error.message : String(error)}).`);
  }
  if (header.alg !== commandAlgorithm)
    return unsigned(`The token's algorithm is ${JSON.stringify(header.alg)}; only ${commandAlgorithm} is accepted.`);
  const keys = operators?.keys ?? {};
  const operator = header.kid !== undefined && Object.hasOwn(keys, header.kid) ? keys[header.kid] : undefined;
  return operator ?? unsigned(`The key ${JSON.stringify(header.kid)} is not on the director's list of operators.`);
}

async function verifySignature(text: string, operator: Operator): Promise<Command | Refusal> {
  const key = await importPublicKey(operator.publicKey);
  if (key === undefined) return unsigned(`The key of ${operator.name} on the director's list is not an Ed25519 key.`);
  try {
    const { payload } = await compactVerify(text, key, { algorithms: [commandAlgorithm] });
    return parseDocument(commandSchema, payload, { what: "command", maxBytes: limits.command.tokenBytes });
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed)
      return unsigned(`The signature does not match the key of ${operator.name}.`);
    if (error instanceof DocumentError) return malformed(error.message);
    if (error instanceof errors.JOSEError) return malformed(`The token is not well-formed (${error.message}).`);
    throw error;
  }
}

type PublicKey = Awaited<ReturnType<typeof importJWK>>;

/** RFC 8037 2: an OKP key whose x is the 32 bytes of the public key. */
async function importPublicKey(publicKey: string): Promise<PublicKey | undefined> {
  try {
    return await importJWK({ kty: "OKP", crv: "Ed25519", x: publicKey }, commandAlgorithm);
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError || error instanceof DOMException)
      return undefined;
    throw error;
  }
}

/** RFC 7519 4.1.3 */
function refuseWrongGateway(command: Command, { gateway }: CommandContext): Refusal | undefined {
  if (command.aud === gateway) return undefined;
  return refuse(
    "command.gateway",
    `The command is for "${command.aud}"; this gateway is "${gateway}".`,
    `Sign a command for "${gateway}".`,
  );
}

/** RFC 7519 4.1.4, 4.1.6, with the allowed difference between two clocks */
function refuseWrongTime({ iat, exp }: Command, nowMs: number): Refusal | undefined {
  const { skewMs, lifetimeMs } = limits.command;
  const [issuedMs, expiresMs] = [iat * 1000, exp * 1000];
  const now = formatTime(nowMs);
  if (expiresMs + skewMs <= nowMs)
    return stale(`It expired at ${formatTime(expiresMs)}; here it is ${now}.`, "Send it again.");
  if (issuedMs - skewMs > nowMs)
    return stale(
      `It was issued at ${formatTime(issuedMs)}; here it is only ${now}.`,
      "Set the clock that is wrong, the operator's or the gateway's, and send it again.",
    );
  if (expiresMs - issuedMs > lifetimeMs || expiresMs <= issuedMs)
    return stale(
      `It is valid for ${exp - iat} seconds; allowed are 1 to ${lifetimeMs / 1000}.`,
      "Sign it with a lifetime within that.",
    );
  return undefined;
}

function refuseUnlisted(command: Command, operator: Operator): Refusal | undefined {
  const wanted = `${command.component}/${command.method}`;
  const allowed = operator.may.some(
    (pattern) => pattern === "*" || pattern === wanted || pattern === `${command.component}/*`,
  );
  if (allowed) return undefined;
  return refuse(
    "command.permission",
    `${operator.name} may call ${operator.may.join(", ") || "nothing"}, not ${wanted}.`,
    `Have the director list "${wanted}" for that key, or use a key that may.`,
  );
}

function malformed(seen: string): Refusal {
  return refuse("command.malformed", seen, "Make the command with `outstation command`.");
}

function unsigned(seen: string): Refusal {
  return refuse("command.signature", seen, "Sign with a key of the director's operators.json, or have yours added.");
}

function stale(seen: string, fix: string): Refusal {
  return refuse("command.expired", seen, fix);
}

function formatTime(ms: number): string {
  // Beyond what a date can show, the number itself.
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms} ms`;
}
