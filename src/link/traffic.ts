// Counts what goes over the air by purpose, so that an operator sees where the cellular bill comes from.

export const trafficClasses = ["image", "blob", "director", "telemetry", "command", "other"] as const;
export type TrafficClass = (typeof trafficClasses)[number];

/** Topic and payload bytes since the link was opened; packet headers are not in it. */
export interface Traffic {
  readonly in: Readonly<Record<TrafficClass, number>>;
  readonly out: Readonly<Record<TrafficClass, number>>;
}

export interface TrafficMeter extends Traffic {
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

/** The class of a topic of `protocol/topics.ts`, whatever its root is. */
export function classifyTopic(topic: string): TrafficClass {
  if (/\/in\/director\/[^/]+$/.test(topic)) return "director";
  if (/\/out\/telemetry\/[^/]+\/[^/]+$/.test(topic)) return "telemetry";
  if (/\/(in\/command|out\/result)\/[^/]+$/.test(topic)) return "command";
  if (/\/blob\/[0-9a-f]{64}\/\d+$/.test(topic)) return "blob";
  if (/\/image\/[^/]+$/.test(topic)) return "image";
  return "other";
}

function zeroes(): Record<TrafficClass, number> {
  return { image: 0, blob: 0, director: 0, telemetry: 0, command: 0, other: 0 };
}
