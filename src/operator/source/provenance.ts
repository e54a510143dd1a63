// Who built a component: a sigstore bundle verified offline, against the trusted root and the identity this fleet asks for.
import { bundleFromJSON, isBundleWithMessageSignature, ValidationError, type Bundle } from "@sigstore/bundle";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { PolicyError, toSignedEntity, toTrustMaterial, VerificationError, Verifier } from "@sigstore/verify";
import { createHash } from "node:crypto";
import { join } from "node:path";
import * as v from "valibot";
import { describeError } from "../../base/error.ts";
import { DocumentError, parseDocument } from "../../protocol/document.ts";
import { OperatorError } from "../error.ts";
import { readBytes, readBytesIfPresent } from "../files.ts";

const policySchema = v.strictObject({
  /** Path of sigstore's trusted_root.json, from the workspace on. Keep it up to date: nothing fetches it. */
  trustedRoot: v.pipe(v.string(), v.minLength(1)),
  /** Who must have signed: the certificate's subject alternative name; "*" stands for anything. */
  identity: v.pipe(v.string(), v.minLength(1)),
  /** Who must have vouched for that identity: "https://token.actions.githubusercontent.com". */
  issuer: v.pipe(v.string(), v.minLength(1)),
  /** How many entries of transparency logs there must be, and of certificate logs. */
  transparency: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 1),
  certificateTransparency: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 1),
});
type Policy = v.InferOutput<typeof policySchema>;

export const policyFile = "provenance.json";

/** Digests of a component by the names in-toto statements use. */
export type Digests = Readonly<Record<string, string>>;

/**
 * What the workspace's provenance.json asks for. Without that file a bundle is refused, since nothing says whom to
 * believe, and its absence is fine. OperatorError "provenance-refused" names what is wrong; nothing was signed then.
 */
export async function checkProvenance(
  directory: string,
  component: Uint8Array,
  bundle: Uint8Array | undefined,
): Promise<string | undefined> {
  const path = join(directory, policyFile);
  const policyText = await readBytesIfPresent(path);
  if (policyText === undefined) {
    if (bundle === undefined) return undefined;
    throw refused(`There is no ${policyFile} in the workspace that says whom to believe. Write one: docs/operate.md.`);
  }
  const policy = parse(() => parseDocument(policySchema, policyText, { what: path }));
  if (bundle === undefined)
    throw refused(`This workspace signs nothing without provenance (${path}). Give the sigstore bundle with --bundle.`);
  const trustedRoot = await readBytes(join(directory, policy.trustedRoot), "trusted root of sigstore");
  return verifyBundle({ bundle, trustedRoot, policy }, digest(component), component);
}

export interface Evidence {
  readonly bundle: Uint8Array;
  readonly trustedRoot: Uint8Array;
  readonly policy: Policy;
}

/** Resolves to the identity that signed. The bytes are needed for a plain signature; a statement names digests. */
export function verifyBundle({ bundle, trustedRoot, policy }: Evidence, digests: Digests, bytes: Uint8Array): string {
  const parsed = parse(() => bundleFromJSON(parseJson(bundle, "sigstore bundle")));
  const root = parse(() => TrustedRoot.fromJSON(parseJson(trustedRoot, "trusted root")));
  const isSignature = isBundleWithMessageSignature(parsed);
  if (!isSignature) checkSubject(parsed, digests);
  try {
    const verifier = new Verifier(toTrustMaterial(root), {
      tlogThreshold: policy.transparency,
      ctlogThreshold: policy.certificateTransparency,
    });
    const entity = isSignature ? toSignedEntity(parsed, Buffer.from(bytes)) : toSignedEntity(parsed);
    const { identity } = verifier.verify(entity, {
      subjectAlternativeName: toPattern(policy.identity),
      extensions: { issuer: policy.issuer },
    });
    return identity?.subjectAlternativeName ?? "";
  } catch (cause) {
    if (cause instanceof VerificationError || cause instanceof PolicyError)
      throw refused(`The bundle does not prove who built it: ${describeError(cause)}.`, cause);
    throw refused(`The bundle cannot be verified: ${describeError(cause)}.`, cause);
  }
}

const statementSchema = v.object({
  _type: v.pipe(v.string(), v.startsWith("https://in-toto.io/Statement/")),
  subject: v.array(v.object({ digest: v.record(v.string(), v.string()) })),
});

/** in-toto: the statement must be about these very bytes; one digest that we can compute and that differs is enough to refuse. */
function checkSubject({ content }: Bundle, digests: Digests): void {
  if (content.$case !== "dsseEnvelope" || content.dsseEnvelope.payloadType !== "application/vnd.in-toto+json")
    throw refused("The bundle holds neither a signature nor an in-toto statement.");
  const { payload } = content.dsseEnvelope;
  const { subject } = parse(() => parseDocument(statementSchema, payload, { what: "in-toto statement" }));
  const isOurs = subject.some(({ digest: named }) => {
    const known = Object.keys(named).filter((name) => digests[name] !== undefined);
    return known.length > 0 && known.every((name) => digests[name] === named[name]);
  });
  if (!isOurs) throw refused("The bundle's statement is about another file. Build, attest and release the same bytes.");
}

function digest(bytes: Uint8Array): Digests {
  return Object.fromEntries(["sha256", "sha512"].map((name) => [name, createHash(name).update(bytes).digest("hex")]));
}

/** sigstore tests its pattern anywhere in the name, so ours is anchored, and nothing in it but "*" is special. */
function toPattern(identity: string): RegExp {
  const escaped = identity.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\/-]/g, "\\$&"));
  return new RegExp(`^${escaped.join(".*")}$`);
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  return parseDocument(v.unknown(), bytes, { what });
}

function parse<T>(run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof DocumentError) throw refused(cause.message, cause);
    const isTheirs = cause instanceof ValidationError || cause instanceof TypeError || cause instanceof Error;
    throw refused(`The bundle or the trusted root is not one: ${describeError(isTheirs ? cause : "")}`, cause);
  }
}

function refused(message: string, cause?: unknown): OperatorError {
  return new OperatorError("provenance-refused", message, { cause });
}
