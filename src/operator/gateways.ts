// What gateways say of themselves, read from the broker: where each stands, and everything as it comes.
import { limits } from "../base/limits.ts";
import { LinkError } from "../link/link.ts";
import { DocumentError, parseDocument } from "../protocol/document.ts";
import { reportedSchema, stateSchema, type ReportedDocument, type StateDocument } from "../protocol/reports.ts";
import { OperatorError } from "./error.ts";
import type { Session } from "./session.ts";

/** A gateway's two retained documents; undefined where it has published none. */
export interface GatewayStatus {
  readonly gateway: string;
  readonly state: StateDocument | undefined;
  readonly reported: ReportedDocument | undefined;
  /** What is wrong with what it published, when that cannot be read; the documents are then left out. */
  readonly problem?: string;
}

/** A retained document that is there arrives at once; one that is not there never does. */
const retainedTimeoutMs = 2000;

export async function fetchStatus(session: Session, gateway: string): Promise<GatewayStatus> {
  const topics = session.topics.gateway(gateway);
  const [state, reported] = await Promise.all([
    fetchRetained(session, topics.state),
    fetchRetained(session, topics.reported),
  ]);
  const source = { what: `status of ${gateway}` };
  return {
    gateway,
    state: state === undefined ? undefined : parseDocument(stateSchema, state, source),
    reported: reported === undefined ? undefined : parseDocument(reportedSchema, reported, source),
  };
}

/** The same for many: one that publishes what cannot be read hides none of the others. */
export function fetchStatuses(session: Session, gateways: readonly string[]): Promise<readonly GatewayStatus[]> {
  const fetchReadable = async (gateway: string): Promise<GatewayStatus> => {
    try {
      return await fetchStatus(session, gateway);
    } catch (error) {
      const isTheirs = error instanceof DocumentError || (error instanceof LinkError && error.code === "too-large");
      if (!isTheirs) throw error;
      return { gateway, state: undefined, reported: undefined, problem: error.message };
    }
  };
  return Promise.all(gateways.map(fetchReadable));
}

/** Whether the gateway is there now, by its birth and will. */
export async function fetchPresence(session: Session, gateway: string): Promise<"online" | "offline" | "never-seen"> {
  const state = await fetchRetained(session, session.topics.gateway(gateway).state);
  if (state === undefined) return "never-seen";
  const { online } = parseDocument(stateSchema, state, { what: `state of ${gateway}` });
  return online ? "online" : "offline";
}

/** One message of a gateway, as it came. */
export interface GatewayMessage {
  readonly gateway: string;
  /** The topic behind `out/`: "state", "telemetry/boiler/temperature". */
  readonly topic: string;
  /** The document, or the text when it is not JSON. */
  readonly document: unknown;
  /** True when it was said before we listened. */
  readonly retained: boolean;
}

/** Hands over everything a gateway writes until the returned function is called. */
export async function watchGateway(
  session: Session,
  gateway: string,
  onMessage: (message: GatewayMessage) => void,
): Promise<() => Promise<void>> {
  const { everything } = session.topics.gateway(gateway);
  const prefix = everything.slice(0, -1);
  return session.link.subscribe(everything, (topic, payload, retained) =>
    onMessage({ gateway, topic: topic.slice(prefix.length), document: parseLoosely(payload), retained }),
  );
}

/**
 * Waits until the gateway says how a deployment ended, and resolves with that report. `onProgress` gets every report on
 * the way. OperatorError "no-answer" (retryable) when it says nothing final in time: it goes on by itself.
 */
export async function awaitDeployment(
  session: Session,
  wanted: { readonly gateway: string; readonly version: number },
  options: { readonly signal: AbortSignal; readonly onProgress?: (reported: ReportedDocument) => void },
): Promise<ReportedDocument> {
  const done = Promise.withResolvers<ReportedDocument>();
  const onAbort = (): void => done.reject(noReport(wanted));
  if (options.signal.aborted) throw noReport(wanted);
  options.signal.addEventListener("abort", onAbort, { once: true });
  const stop = await watchGateway(session, wanted.gateway, ({ topic, document, retained }) => {
    const reported = topic === "reported" ? readReported(document) : undefined;
    if (reported === undefined) return;
    // Metadata that is not trusted says no version: while we wait, such a refusal is about what we published.
    const isUntrusted = !retained && reported.refusal?.rule.startsWith("trust.") === true;
    if (reported.desired !== wanted.version && !isUntrusted) return;
    options.onProgress?.(reported);
    if (reported.phase === "committed" || reported.phase === "rolled-back" || reported.phase === "refused")
      done.resolve(reported);
  });
  try {
    return await done.promise;
  } finally {
    options.signal.removeEventListener("abort", onAbort);
    await stop();
  }
}

function noReport({ gateway, version }: { readonly gateway: string; readonly version: number }): OperatorError {
  const message = `${gateway} has not said yet how deployment ${version} went. It goes on by itself; ask with: outstation status ${gateway}`;
  return new OperatorError("no-answer", message, { retryable: true });
}

function readReported(document: unknown): ReportedDocument | undefined {
  try {
    return parseDocument(reportedSchema, JSON.stringify(document), { what: "report" });
  } catch (error) {
    if (error instanceof DocumentError) return undefined;
    throw error;
  }
}

async function fetchRetained(session: Session, topic: string): Promise<Uint8Array | undefined> {
  try {
    return await session.link.fetch(topic, { maxBytes: limits.document.bytes, timeoutMs: retainedTimeoutMs });
  } catch (error) {
    if (error instanceof LinkError && error.code === "timeout") return undefined;
    throw error;
  }
}

function parseLoosely(payload: Uint8Array): unknown {
  const text = new TextDecoder().decode(payload);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
