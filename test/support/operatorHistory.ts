// Everything an operator ever published for one gateway, in order, beside what a malicious broker has from elsewhere.
import { sha256Hex } from "../../src/base/hash.ts";
import { operatorsSchema } from "../../src/protocol/command.ts";
import { parseDocument } from "../../src/protocol/document.ts";
import { unpackFile } from "../../src/protocol/packing.ts";
import type { Factory } from "../../src/protocol/factory.ts";
import { publishImage } from "../../src/operator/publish.ts";
import { createFleet, createWasm, deployTo, type Fleet, release, startMs } from "./fleet.ts";
import { gateway } from "./roundsFile.ts";
import { loadRootKeys, rotateImageRoot } from "./rotateRoot.ts";

export interface Published {
  readonly topic: string;
  readonly payload: Uint8Array;
}

export interface OperatorHistory {
  readonly factory: Factory;
  readonly nowMs: number;
  /** In the order in which it was published. */
  readonly log: readonly Published[];
  /** Deployments by version, the first at 0: how much of the log there is once it is published, and what it runs. */
  readonly deployments: readonly { readonly end: number; readonly sha256: string }[];
  /** Who may command the gateway, as it keeps that; every deployment says the same. */
  readonly operators: string;
  /** Validly signed for another gateway, here under the topics of this one. */
  readonly neighbour: readonly Published[];
  /** Validly signed by another operator, for a gateway of the same name. */
  readonly thief: readonly Published[];
}

/** The fourth deployment goes back to the first release, as an operator may. */
const releases = ["1.0.0", "1.1.0", "1.2.0", "1.0.0", "1.3.0"];
const wasmOf = (version: string): Uint8Array => createWasm(`boiler@${version}`, 60);

export async function createOperatorHistory(): Promise<OperatorHistory> {
  await using fleet = await createFleet();
  const log: Published[] = [];
  const recorded = record(fleet, log);
  const neighbour: Published[] = [];
  await release(recorded, { version: "0.9.0", wasmBytes: wasmOf("0.9.0") });
  await deployTo(record(fleet, neighbour), "plant-8", "boiler@0.9.0");
  const deployments: { readonly end: number; readonly sha256: string }[] = [];
  for (const [index, version] of releases.entries()) {
    if (index === 2) {
      await rotateImageRoot(fleet, { signers: await loadRootKeys(fleet) });
      await publishImage(fleet.workspace, recorded.publisher);
    }
    if (releases.indexOf(version) === index) await release(recorded, { version, wasmBytes: wasmOf(version) });
    await deployTo(recorded, gateway, `boiler@${version}`);
    deployments.push({ end: log.length, sha256: sha256Hex(wasmOf(version)) });
  }
  const packed = log.find(({ topic }) => topic.endsWith(".operators.json"))?.payload ?? new Uint8Array();
  const { bytes: signed } = await unpackFile(packed, 10_000);
  const operators = JSON.stringify(parseDocument(operatorsSchema, signed, { what: "operators" }));
  return {
    factory: fleet.factory,
    nowMs: startMs,
    log,
    deployments,
    operators,
    neighbour: neighbour.map(({ topic, payload }) => ({ topic: topic.replace("plant-8", gateway), payload })),
    thief: await createThief(),
  };
}

async function createThief(): Promise<readonly Published[]> {
  const log: Published[] = [];
  await using fleet = await createFleet();
  const thief = record(fleet, log);
  await release(thief, { version: "1.0.0", wasmBytes: wasmOf("malware") });
  await deployTo(thief, gateway, "boiler@1.0.0");
  return log;
}

function record(fleet: Fleet, log: Published[]): Fleet {
  const publish: Fleet["publisher"]["publish"] = async (message) => {
    log.push({ topic: message.topic, payload: Uint8Array.from(Buffer.from(message.payload)) });
    await fleet.publisher.publish(message);
  };
  return { ...fleet, publisher: { publish } };
}
