// Counts what goes over the air by purpose, so that an operator sees where the cellular bill comes from.

export const trafficClasses = ["metadata", "blobs", "commands", "telemetry", "reports", "logs", "other"] as const;
export type TrafficClass = (typeof trafficClasses)[number];

export interface BothWays {
  readonly in: number;
  readonly out: number;
}

/** Since the link was opened. */
export interface Traffic {
  /** Topic and payload bytes of messages. */
  readonly in: Readonly<Record<TrafficClass, number>>;
  readonly out: Readonly<Record<TrafficClass, number>>;
  /** Every byte of MQTT, packet headers and acknowledgements included; before TLS, TCP and IP add theirs. */
  readonly socket: BothWays;
}

export interface TrafficMeter extends Omit<Traffic, "socket"> {
  count(direction: "in" | "out", topic: string, payloadBytes: number): void;
}

export function createTrafficMeter(): TrafficMeter {
  const counters = { in: zeroes(), out: zeroes() };
  return {
    ...counters,
    count: (direction, topic, payloadBytes) => {
      counters[direction][classifyTopic(topic)] += Buffer.byteLength(topic) + payloadBytes;
    },
  };
}

/** Purpose by the last levels of a topic of `protocol/topics.ts`, whatever its root is; the first that fits. */
const purposes: readonly (readonly [RegExp, TrafficClass])[] = [
  [/\/in\/director\/[^/]+$/, "metadata"],
  [/\/out\/telemetry\/[^/]+\/[^/]+$/, "telemetry"],
  [/\/(in\/command|out\/result)\/[^/]+$/, "commands"],
  [/\/(in\/got\/[^/]+|out\/get)\/[^/]+$/, "blobs"],
  [/\/out\/(state|reported|event)$/, "reports"],
  [/\/out\/log\/[^/]+$/, "logs"],
  [/\/blob\/[0-9a-f]{64}\/\d+$/, "blobs"],
  [/\/image\/[^/]+$/, "metadata"],
];

export function classifyTopic(topic: string): TrafficClass {
  return purposes.find(([pattern]) => pattern.test(topic))?.[1] ?? "other";
}

function zeroes(): Record<TrafficClass, number> {
  return { metadata: 0, blobs: 0, commands: 0, telemetry: 0, reports: 0, logs: 0, other: 0 };
}
