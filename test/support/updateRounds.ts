// What an operator publishes in the life of one gateway: an install, an update with a new root, and an update that fails.
import { sha256Hex } from "../../src/base/hash.ts";
import { publishImage } from "../../src/operator/publish.ts";
import { createFleet, createWasm, deployTo, release, startMs } from "./fleet.ts";
import { gateway, type UpdateRounds } from "./roundsFile.ts";
import { loadRootKeys, rotateImageRoot } from "./rotateRoot.ts";

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
