// What an operator's back end would see: every message of the gateway, readings checked for gaps and repeats.
import { connectAsync, type MqttClient } from "mqtt";
import type { EventDocument, ReportedDocument, StateDocument, TelemetryDocument } from "../../src/protocol/reports.ts";
import { createTopics } from "../../src/protocol/topics.ts";

export interface StreamTally {
  /** Highest sequence number up to which nothing is missing. */
  contiguous: number;
  lost: number;
  /** Readings that came twice without being marked as possibly sent before. */
  unlabelledDuplicates: number;
  labelledDuplicates: number;
  last: { readonly metric: string; readonly value: unknown } | undefined;
}

export interface Observer {
  readonly state: StateDocument | undefined;
  readonly reported: ReportedDocument | undefined;
  readonly events: readonly EventDocument[];
  tally(stream: string): StreamTally;
  /** Resolves when the condition holds; looks at every message. Rejects after the time with what was waited for. */
  until(what: string, condition: () => boolean, withinMs?: number): Promise<void>;
  close(): Promise<void>;
}

export async function observe(url: string, gateway: string): Promise<Observer> {
  const client = await connectAsync(url, { protocolVersion: 4 });
  const watcher = new Watcher(client, createTopics().gateway(gateway).everything.slice(0, -1));
  await client.subscribeAsync(createTopics().gateway(gateway).everything, { qos: 1 });
  return watcher;
}

class Watcher implements Observer {
  state: StateDocument | undefined;
  reported: ReportedDocument | undefined;
  readonly events: EventDocument[] = [];
  readonly #client: MqttClient;
  readonly #tallies = new Map<string, StreamTally & { readonly seen: Set<number> }>();
  readonly #waiting = new Set<() => void>();

  constructor(client: MqttClient, prefix: string) {
    this.#client = client;
    client.on("message", (topic, payload) => {
      this.#take(topic.slice(prefix.length), JSON.parse(payload.toString()));
      for (const look of this.#waiting) look();
    });
  }

  tally(stream: string): StreamTally & { readonly seen: Set<number> } {
    const known = this.#tallies.get(stream);
    if (known !== undefined) return known;
    const none = { lost: 0, contiguous: 0, unlabelledDuplicates: 0, labelledDuplicates: 0, last: undefined };
    const fresh = { ...none, seen: new Set<number>() };
    this.#tallies.set(stream, fresh);
    return fresh;
  }

  until(what: string, condition: () => boolean, withinMs = 30_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!condition()) return;
        this.#waiting.delete(look);
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`waited ${withinMs / 1000} s for ${what}`));
      }, withinMs);
      this.#waiting.add(look);
      look();
    });
  }

  async close(): Promise<void> {
    await this.#client.endAsync();
  }

  #take(topic: string, document: unknown): void {
    if (topic === "state") this.state = document as StateDocument;
    else if (topic === "reported") this.reported = document as ReportedDocument;
    else if (topic === "event") this.events.push(document as EventDocument);
    else if (topic.startsWith("telemetry/"))
      this.#count(topic.slice("telemetry/".length), document as TelemetryDocument);
  }

  #count(stream: string, { seq, readings, resent }: TelemetryDocument): void {
    const tally = this.tally(stream);
    for (const [index, reading] of readings.entries()) {
      const sequence = seq + index;
      if (tally.seen.has(sequence)) tally[resent === true ? "labelledDuplicates" : "unlabelledDuplicates"]++;
      tally.seen.add(sequence);
      tally.last = reading;
    }
    while (tally.seen.has(tally.contiguous + 1)) tally.contiguous++;
    tally.lost = Math.max(...tally.seen) - tally.seen.size;
  }
}
