// What a thief with the director's online key can sign: any targets, for any gateway.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Metadata, TargetFile, Targets } from "@tufjs/models";
import { Delegations } from "@tufjs/models/dist/delegations.js";
import { sha256Hex } from "../../src/base/hash.ts";
import { publishDirector } from "../../src/operator/publish.ts";
import { encode, signSnapshot, signTimestamp } from "../../src/operator/repository/metadata.ts";
import { directorDirectory } from "../../src/operator/repository/places.ts";
import { loadRepository } from "../../src/operator/repository/repository.ts";
import { signRound } from "../../src/operator/repository/round.ts";
import { directorSigners } from "../../src/operator/repository/signers.ts";
import { targetFileName } from "../../src/protocol/repository.ts";
import { createTopics } from "../../src/protocol/topics.ts";
import { dayMs } from "./fleet.ts";
import type { Fleet } from "./fleet.ts";

export interface ForgedTarget {
  readonly path: string;
  /** For documents: also written, so that it is published. */
  readonly bytes: Uint8Array;
  readonly custom?: { readonly gateway: string } | { readonly other: string };
}

/** Replaces targets of the same path in the director of `gateway`, signs and publishes it. */
export async function forgeDirector(fleet: Fleet, gateway: string, forged: readonly ForgedTarget[]): Promise<void> {
  const directory = directorDirectory(fleet.workspace, gateway);
  const { targets } = await loadRepository(directory);
  const kept = targets.filter(({ path }) => !forged.some((target) => target.path === path));
  const added = forged.map(({ path, bytes, custom = { gateway } }) => {
    const hashes = { sha256: sha256Hex(bytes) };
    return new TargetFile({ path, length: bytes.byteLength, hashes, unrecognizedFields: { custom: { ...custom } } });
  });
  for (const { path, bytes } of forged)
    if (path.endsWith(".json")) await writeFile(join(directory, targetFileName(path, sha256Hex(bytes))), bytes);
  const signers = await directorSigners(fleet.workspace);
  await signRound(fleet.workspace, directory, { targets: [...kept, ...added], signers });
  await publishDirector(fleet.workspace, gateway, fleet.publisher);
}

/** Serves a director whose targets are empty and, if asked for, delegate to somebody else. */
export async function forgeEmptyDirector(fleet: Fleet, gateway: string, delegates: boolean): Promise<void> {
  const { director } = createTopics(fleet.workspace.settings.root).gateway(gateway);
  const key = await fleet.workspace.loadKey("director");
  const times = { expiresMs: fleet.time.nowMs + dayMs, signedAtMs: fleet.time.nowMs };
  const delegations = delegates ? { delegations: new Delegations({ keys: {}, roles: {} }) } : {};
  const expires = new Date(times.expiresMs).toISOString();
  const metadata = new Metadata(
    new Targets({ specVersion: "1.0.31", version: 9, expires, targets: {}, ...delegations }),
  );
  const targets = await encode(metadata, [key]);
  const snapshot = await signSnapshot({ version: 9, ...times, targets: { version: 9, bytes: targets } }, key);
  fleet.broker.set(director("9.targets.json"), targets);
  fleet.broker.set(director("9.snapshot.json"), snapshot);
  const timestamp = await signTimestamp({ version: 9, ...times, snapshot: { version: 9, bytes: snapshot } }, key);
  fleet.broker.set(director("timestamp.json"), timestamp);
}

export function createDeployment(version: number, gateway: string, release: string): ForgedTarget {
  const deployment = { version, gateway, components: { boiler: { release } } };
  return { path: "deployment.json", bytes: new TextEncoder().encode(JSON.stringify(deployment)) };
}
