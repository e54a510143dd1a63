// Why the broker is not reached, in one sentence for a person or a log: what was seen, and what to do about it.
import { describeError } from "../base/error.ts";
import { LinkError } from "./link.ts";

const unknownAuthority = "its certificate comes from an authority that is not known here";
const setAuthority = "Set NODE_EXTRA_CA_CERTS to the authority's PEM file.";
const wrongScheme = "Use mqtts:// where the broker speaks TLS, mqtt:// where it does not.";
const notThere = "Is it running, and reached from here?";

/** Node's and OpenSSL's codes; with two addresses of one host the error of Node has a code and no message. */
const known: Readonly<Record<string, readonly [seen: string, fix: string]>> = {
  ECONNREFUSED: ["nothing listens there", notThere],
  ENOTFOUND: ["the name of the host is not known", notThere],
  ECONNRESET: ["the connection was cut at its start", wrongScheme],
  EPROTO: ["it does not answer in TLS", wrongScheme],
  SELF_SIGNED_CERT_IN_CHAIN: [unknownAuthority, setAuthority],
  DEPTH_ZERO_SELF_SIGNED_CERT: [unknownAuthority, setAuthority],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: [unknownAuthority, setAuthority],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: [unknownAuthority, setAuthority],
};

/** `thrown` is what `openConnection` rejected with; a refusal already says what to do. */
export function describeOffline(broker: string, thrown: unknown): string {
  if (thrown instanceof LinkError && thrown.code !== "offline") return thrown.message;
  const cause = thrown instanceof LinkError ? thrown.cause : thrown;
  const [seen, fix] = describeCause(cause);
  return `The broker ${broker} is not reached: ${seen}. ${fix}`;
}

function describeCause(cause: unknown): readonly [seen: string, fix: string] {
  if (cause === undefined) return ["it closed the connection without a word", wrongScheme];
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const entry = known[code];
  if (entry !== undefined) return [`${entry[0]} (${code})`, entry[1]];
  return [describeError(cause).replace(/\.$/, ""), notThere];
}
