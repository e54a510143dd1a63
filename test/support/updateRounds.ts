// What an operator publishes in the life of one gateway: an install, an update with a new root, and an update that fails.
import { readFile } from "node:fs/promises";
import { sha256Hex } from "../../src/base/hash.ts";
import type { Factory } from "../../src/protocol/factory.ts";
import { publishImage } from "../../src/operator/publish.ts";
import { createFleet, createWasm, deployTo, release, startMs } from "./fleet.ts";
import { loadRootKeys, rotateImageRoot } from "./rotateRoot.ts";

export const gateway = "plant-7";
/** Its components crash in their trial. */
export const crashing = "boiler@1.2.0";

export interface UpdateRounds {
  readonly factory: Factory;
  readonly nowMs: number;
  /** What the broker retains after each deployment; the first is for version 1. */
  readonly brokers: readonly ReadonlyMap<string, Uint8Array>[];
}

/** The sha-256 of the one component that runs after a deployment is committed; undefined when nothing does. */
export function runningAt(version: number): string | undefined {
  return version === 0 ? undefined : sha256Hex(createWasm(`boiler@1.${version - 1}.0`, lines));
}

const lines = 60;

export async function createUpdateRounds(): Promise<UpdateRounds> {
  await using fleet = await createFleet();
  const brokers: ReadonlyMap<string, Uint8Array>[] = [];
  for (const version of ["1.0.0", "1.1.0", "1.2.0"]) {
    if (version === "1.1.0") {
      await rotateImageRoot(fleet, { signers: await loadRootKeys(fleet) });
      await publishImage(fleet.workspace, fleet.publisher);
    }
    await release(fleet, { version, wasmBytes: createWasm(`boiler@${version}`, lines) });
    await deployTo(fleet, gateway, `boiler@${version}`);
    brokers.push(new Map(fleet.broker));
  }
  return { factory: fleet.factory, nowMs: startMs, brokers };
}

/** As JSON, for a process of its own. */
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
