// The birth and the will of this gateway: the same document, online or not.
import type { Traffic } from "../link/traffic.ts";
import type { ReportedDocument, StateDocument } from "../protocol/reports.ts";
import { agentVersion } from "../protocol/version.ts";
import type { Stores } from "./stores.ts";

export interface LifeSigns {
  readonly gateway: string;
  readonly bootId: string;
  readonly components: ReportedDocument["components"];
  readonly counters: Readonly<Record<string, number>>;
}

export function createState(online: boolean, { gateway, bootId, components, counters }: LifeSigns): StateDocument {
  const running = Object.values(components).filter(({ status }) => status === "running");
  return {
    online,
    gateway,
    bootId,
    agent: agentVersion,
    components: running.map(({ release }) => release),
    counters,
  };
}

/** Counters flattened to "group.name", so that a dashboard needs no schema. */
export function flattenCounters(
  groups: Readonly<Record<string, Readonly<Record<string, number>>>>,
): Record<string, number> {
  const entries = Object.entries(groups).flatMap(([group, counters]) =>
    Object.entries(counters).map(([name, value]) => [`${group}.${name}`, value] as const),
  );
  return Object.fromEntries(entries);
}

export interface Counted extends Pick<Stores, "telemetry" | "outbox"> {
  readonly traffic: Traffic;
  /** What else was dropped, by kind. */
  readonly dropped: Readonly<Record<string, number>>;
}

/** Everything the gateway counts, under the names `docs/protocol.md` gives them. */
export function collectCounters({ telemetry, outbox, traffic, dropped: others }: Counted): Record<string, number> {
  const { dropped, ...counts } = telemetry.counters;
  return flattenCounters({
    telemetry: { ...counts },
    dropped: { ...dropped, ...others },
    outbox: { waiting: outbox.counters.waiting, ...outbox.counters.dropped },
    "bytes.in": traffic.in,
    "bytes.out": traffic.out,
    "bytes.socket": { ...traffic.socket },
  });
}
