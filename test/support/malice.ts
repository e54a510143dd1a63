// A broker that does its worst with what it carries: it knows all that was ever published, and a seed decides what it does.
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { mutate } from "./mutate.ts";
import type { OperatorHistory, Published } from "./operatorHistory.ts";

export interface MaliciousBroker {
  /** What it answers now for this topic. */
  answer(topic: string): Uint8Array | undefined;
}

type Answer = (topic: string) => Uint8Array | undefined;

/** What an honest broker answers when so much of the history has happened. */
export function tellTruth({ log }: Pick<OperatorHistory, "log">, end = log.length): Answer {
  return (topic) => log.findLast((message, index) => index < end && message.topic === topic)?.payload;
}

/**
 * It has one scheme, such as showing all of the past, and now and then lies besides. `end` is how much of the history has
 * happened; what comes after it not even a broker can know.
 */
export function createMaliciousBroker(history: OperatorHistory, random: () => number, end: number): MaliciousBroker {
  const past = history.log.slice(0, end);
  const foreign = [...history.neighbour, ...history.thief];
  const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];
  const scheme = pick(schemesOf(history, end, random)) ?? tellTruth(history, end);
  const lies = pick([0, 0.05, 0.2, 0.6]) ?? 0;
  const on = (published: readonly Published[], topic: string): readonly Uint8Array[] =>
    published.filter((message) => message.topic === topic).map(({ payload }) => payload);
  /** Of the same name, whoever it was for. */
  const namesake = (topic: string): readonly Uint8Array[] => {
    const name = topic.slice(topic.lastIndexOf("/"));
    return [...past, ...foreign].filter((message) => message.topic.endsWith(name)).map(({ payload }) => payload);
  };
  const tricks: readonly ((topic: string, bytes: Uint8Array) => Uint8Array | undefined)[] = [
    () => undefined,
    (topic) => pick(on(past, topic)),
    (topic) => pick(on(foreign, topic)),
    (topic) => pick(namesake(topic)),
    () => pick([...past, ...foreign])?.payload,
    (_, bytes) => mutate(bytes, Math.floor(random() * 2 ** 31), 1 + Math.floor(random() * 4)),
    (_, bytes) => bytes.subarray(0, Math.floor(random() * bytes.length)),
    (_, bytes) => Uint8Array.of(...bytes, ...bytes.subarray(0, Math.floor(random() * 100))),
    (_, bytes) => new Uint8Array(bytes.length),
    (_, bytes) => new Uint8Array(3 * 1024 * 1024).fill(bytes[0] ?? 0),
    (_, bytes) => editJson(bytes, random),
    (_, bytes) => editJson(bytes, random),
  ];
  return {
    answer: (topic) => {
      const told = scheme(topic);
      if (random() >= lies) return told;
      return pick(tricks)?.(topic, told ?? pick(past)?.payload ?? new Uint8Array());
    },
  };
}

function schemesOf(history: OperatorHistory, end: number, random: () => number): readonly Answer[] {
  const truth = tellTruth(history, end);
  const old = tellTruth(history, Math.floor(random() * end));
  const neighbour = tellTruth({ log: history.neighbour });
  const thief = tellTruth({ log: history.thief });
  return [
    truth,
    truth,
    old,
    (topic) => (topic.includes("/gateway/") ? old : truth)(topic),
    (topic) => (topic.includes("/image/") ? old : truth)(topic),
    (topic) => neighbour(topic) ?? truth(topic),
    (topic) => thief(topic) ?? truth(topic),
    (topic) => (topic.includes("/blob/") ? forgeBlob(truth(topic)) : truth(topic)),
  ];
}

/** Other bytes, that unpack to as many as the component has and are packed as long: nothing but the hash tells. */
function forgeBlob(blob: Uint8Array | undefined): Uint8Array | undefined {
  if (blob === undefined) return undefined;
  let honest: Uint8Array;
  try {
    honest = zstdDecompressSync(blob);
  } catch {
    // A delta unpacks only over its base; it is kept.
    return blob;
  }
  const forged = zstdCompressSync(new Uint8Array(honest.length).fill(0x2a));
  // RFC 8878, 3.1.2: a skippable frame, which carries nothing.
  const padding = Buffer.alloc(blob.length - forged.length);
  padding.writeUInt32LE(0x184d2a50, 0);
  padding.writeUInt32LE(padding.length - 8, 4);
  return Buffer.concat([forged, padding]);
}

const words = [0, 1, -1, 2, 99, 2 ** 31, 1e308, 0.5, "", "1", "9999-01-01T00:00:00Z", "../../x", null, true, [], {}];

/** Changes one thing somewhere in a document: a value, a list that says something twice, a part that is gone. */
function editJson(bytes: Uint8Array, random: () => number): Uint8Array {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    // A chunk of a component: it has no parts, so it is answered as it is.
    return bytes;
  }
  const places: { readonly holder: Record<string, unknown>; readonly key: string }[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    const holder = value as Record<string, unknown>;
    for (const key of Object.keys(holder)) {
      places.push({ holder, key });
      visit(holder[key]);
    }
  };
  visit(document);
  const place = places[Math.floor(random() * places.length)];
  if (place === undefined) return bytes;
  const { holder, key } = place;
  const value = holder[key];
  const word = words[Math.floor(random() * words.length)];
  if (Array.isArray(value) && random() < 0.5) value.push(...structuredClone(value));
  else if (typeof value === "number" && random() < 0.7) holder[key] = value + (random() < 0.5 ? 1 : -1);
  else if (random() < 0.3) Reflect.deleteProperty(holder, key);
  else holder[key] = word;
  return Buffer.from(JSON.stringify(document));
}
