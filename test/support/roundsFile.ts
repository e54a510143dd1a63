// What an operator published in the life of one gateway, as a file that a process of its own reads.
import { readFile } from "node:fs/promises";
import type { Factory } from "../../src/protocol/factory.ts";

export const gateway = "plant-7";
/** Its components crash in their trial. */
export const crashing = "boiler@1.2.0";

export interface UpdateRounds {
  readonly factory: Factory;
  readonly nowMs: number;
  /** What the broker retains after each deployment; the first is for version 1. */
  readonly brokers: readonly ReadonlyMap<string, Uint8Array>[];
}

export function encodeRounds({ factory, nowMs, brokers }: UpdateRounds): string {
  const encoded = brokers.map((broker) =>
    Object.fromEntries([...broker].map(([topic, payload]) => [topic, Buffer.from(payload).toString("base64")])),
  );
  return JSON.stringify({ factory, nowMs, brokers: encoded });
}

export async function loadRounds(path: string): Promise<UpdateRounds> {
  const { factory, nowMs, brokers } = JSON.parse(await readFile(path, "utf8")) as {
    readonly factory: Factory;
    readonly nowMs: number;
    readonly brokers: readonly Readonly<Record<string, string>>[];
  };
  const decode = (broker: Readonly<Record<string, string>>): Map<string, Uint8Array> =>
    new Map(Object.entries(broker).map(([topic, payload]) => [topic, Uint8Array.from(Buffer.from(payload, "base64"))]));
  return { factory, nowMs, brokers: brokers.map(decode) };
}
