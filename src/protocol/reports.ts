// What a gateway says of itself: state (birth and will), the deployment it reached, events, logs and telemetry batches.
import * as v from "valibot";

export const refusalSchema = v.object({ rule: v.string(), seen: v.string(), fix: v.string() });

export const componentStatuses = ["starting", "running", "backing-off", "stopped", "finished"] as const;
export type ComponentStatus = (typeof componentStatuses)[number];

/** Retained at `out/state`; the will is the same document with `online: false`. */
export const stateSchema = v.object({
  online: v.boolean(),
  gateway: v.string(),
  bootId: v.string(),
  agent: v.string(),
  /** "name@version" of what runs. */
  components: v.array(v.string()),
  counters: v.record(v.string(), v.number()),
});
export type StateDocument = v.InferOutput<typeof stateSchema>;

/** Retained at `out/reported`: how far the gateway came with what was asked of it. */
export const reportedSchema = v.object({
  gateway: v.string(),
  /** The deployment that is committed and runs; 0 when none ever was. */
  deployment: v.number(),
  /** The deployment it works at or refused, when that is another one. */
  desired: v.number(),
  phase: v.picklist(["idle", "fetching", "trial", "committed", "rolled-back", "refused"]),
  refusal: v.optional(refusalSchema),
  /** While fetching: of the blob that is under way; told at most every few seconds. */
  progress: v.optional(v.object({ receivedBytes: v.number(), totalBytes: v.number() })),
  /** Why the last trial was rolled back. */
  reason: v.optional(v.string()),
  components: v.record(
    v.string(),
    v.object({
      release: v.string(),
      sha256: v.string(),
      status: v.picklist(componentStatuses),
      restarts: v.number(),
      reason: v.optional(v.string()),
    }),
  ),
  at: v.string(),
});
export type ReportedDocument = v.InferOutput<typeof reportedSchema>;

/** Published at `out/event`. */
export const eventSchema = v.object({
  at: v.string(),
  bootId: v.string(),
  kind: v.picklist(["refusal", "rollback", "committed", "trap", "boot"]),
  component: v.optional(v.string()),
  detail: v.string(),
  refusal: v.optional(refusalSchema),
});
export type EventDocument = v.InferOutput<typeof eventSchema>;

export type ReadingValue = boolean | number | string;

/** One measured value; `t` is milliseconds since 1970. */
export const readingSchema = v.object({
  metric: v.string(),
  value: v.union([v.boolean(), v.number(), v.string()]),
  unit: v.optional(v.string()),
  t: v.number(),
});
export type Reading = v.InferOutput<typeof readingSchema>;

/** Published at `out/telemetry/<component>/<stream>`: readings `seq`, `seq + 1`, … of the stream. */
export const telemetrySchema = v.object({
  gateway: v.string(),
  /** Sequence number of the first reading; the stream counts from 1 without gaps, across restarts and updates. */
  seq: v.number(),
  readings: v.array(readingSchema),
  /** True when the same readings may have been delivered before. */
  resent: v.optional(v.boolean()),
});
export type TelemetryDocument = v.InferOutput<typeof telemetrySchema>;

/** Published at `out/log/<component>`. */
export const logSchema = v.object({ at: v.string(), level: v.string(), line: v.string() });
export type LogDocument = v.InferOutput<typeof logSchema>;

/** The agent's answer to `logs`: a component's last lines, oldest first. */
export const logLinesSchema = v.array(logSchema);
