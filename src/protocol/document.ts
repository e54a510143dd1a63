// Documents from outside, parsed strictly: bounded, no unknown keys, and an error that says where and what was meant.
import * as v from "valibot";
import { OutstationError } from "../base/error.ts";
import { limits } from "../base/limits.ts";

export class DocumentError extends OutstationError<"too-large" | "not-json" | "invalid"> {}

export interface DocumentSource {
  /** What the document is, for the message: "deployment", "board file /etc/…". */
  readonly what: string;
  readonly maxBytes?: number;
}

/** Parses JSON text or bytes against a schema; throws DocumentError with the path of the first thing that is wrong. */
export function parseDocument<Schema extends v.GenericSchema>(
  schema: Schema,
  input: string | Uint8Array,
  source: DocumentSource,
): v.InferOutput<Schema> {
  const maxBytes = source.maxBytes ?? limits.document.bytes;
  const length = typeof input === "string" ? Buffer.byteLength(input) : input.byteLength;
  if (length > maxBytes)
    throw new DocumentError("too-large", `The ${source.what} has ${length} bytes; at most ${maxBytes} are read.`);
  return parseValue(schema, parseJson(input, source), source);
}

/** The same for a value that is already parsed. */
export function parseValue<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  source: DocumentSource,
): v.InferOutput<Schema> {
  const reserved = findReservedKey(value);
  if (reserved !== undefined) {
    const message = `The ${source.what} is not valid: "${reserved}" is a name that JavaScript has for itself. Take another.`;
    throw new DocumentError("invalid", message);
  }
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  throw new DocumentError("invalid", `The ${source.what} is not valid: ${describeIssue(result.issues[0])}`);
}

const reservedKeys: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** A key that valibot would leave out of a record without a word: what was signed would not be what is done. */
function findReservedKey(value: unknown): string | undefined {
  const waiting = [value];
  for (let next = waiting.pop(); typeof next === "object" && next !== null; next = waiting.pop()) {
    const reserved = Object.keys(next).find((key) => reservedKeys.has(key));
    if (reserved !== undefined) return reserved;
    for (const inner of Object.values(next)) if (typeof inner === "object" && inner !== null) waiting.push(inner);
  }
  return undefined;
}

function parseJson(input: string | Uint8Array, source: DocumentSource): unknown {
  const text = typeof input === "string" ? input : new TextDecoder().decode(input);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DocumentError("not-json", `The ${source.what} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

function describeIssue(issue: v.BaseIssue<unknown>): string {
  const path = issue.path?.map((item) => String(item.key)).join(".") ?? "";
  const where = path === "" ? "at the top" : `at "${path}"`;
  if (issue.type === "strict_object" && issue.expected === "never") return `${where}: no such key is known.`;
  return `${where}: ${issue.message}.`;
}
