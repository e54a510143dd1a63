// Waiting for a deployment: which of a gateway's reports are the answer to what was just published.
import { expect, test } from "vitest";
import { awaitDeployment } from "../../../src/operator/gateways.ts";
import type { Session } from "../../../src/operator/session.ts";
import type { ReportedDocument } from "../../../src/protocol/reports.ts";
import { createTopics } from "../../../src/protocol/topics.ts";

type Say = (reported: Partial<ReportedDocument>, retained?: boolean) => void;

/** A session whose gateway says what the test says. */
function createSpokenSession(): { readonly session: Session; readonly say: Say } {
  const topics = createTopics();
  const { reported: topic } = topics.gateway("g");
  let hear: (topic: string, payload: Uint8Array, retained: boolean) => void = () => undefined;
  const subscribe = async (_filter: string, handler: typeof hear): Promise<() => Promise<void>> => {
    hear = handler;
    return async () => undefined;
  };
  const document = { gateway: "g", deployment: 1, desired: 1, phase: "committed", components: {}, at: "" };
  const say: Say = (reported, retained = false) =>
    hear(topic, new TextEncoder().encode(JSON.stringify({ ...document, ...reported })), retained);
  return { session: { topics, link: { subscribe } } as unknown as Session, say };
}

const untrusted = { phase: "refused", refusal: { rule: "trust.signature", seen: "s", fix: "f" } } as const;

test("takes the end of the very version that was published, and nothing said of another", async () => {
  const { session, say } = createSpokenSession();
  const ended = awaitDeployment(session, { gateway: "g", version: 2 }, { signal: AbortSignal.timeout(5000) });
  say({}, true);
  say({ phase: "rolled-back", reason: "old" });
  say({ desired: 2, phase: "trial" });
  say({ desired: 2, deployment: 2 });
  expect(await ended).toMatchObject({ desired: 2, phase: "committed" });
});

test("takes a refusal of untrusted metadata, which names no version, when it is said while we wait", async () => {
  const { session, say } = createSpokenSession();
  const ended = awaitDeployment(session, { gateway: "g", version: 2 }, { signal: AbortSignal.timeout(5000) });
  say({ ...untrusted, refusal: { ...untrusted.refusal, seen: "from before" } }, true);
  say({ ...untrusted, refusal: { ...untrusted.refusal, rule: "admission.grant" } });
  say(untrusted);
  expect(await ended).toMatchObject(untrusted);
});
