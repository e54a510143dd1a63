// Publishes an image repository with publishers by hand, rightly or wrongly, as a test wants it.
import { Key, MetaFile, Metadata, Signature, Snapshot, TargetFile, Targets } from "@tufjs/models";
import { DelegatedRole } from "@tufjs/models/dist/role.js";
import { Delegations } from "@tufjs/models/dist/delegations.js";
import { sha256Hex } from "../../src/base/hash.ts";
import type { SigningKey } from "../../src/operator/keys/key.ts";
import { signTimestamp } from "../../src/operator/repository/metadata.ts";
import { imageDirectory } from "../../src/operator/repository/places.ts";
import { loadRepository } from "../../src/operator/repository/repository.ts";
import { createTopics } from "../../src/protocol/topics.ts";
import { dayMs } from "./fleet.ts";
import type { Fleet } from "./fleet.ts";

export interface PublisherMetadata {
  readonly name: string;
  readonly paths: readonly string[];
  readonly keys: readonly SigningKey[];
  readonly threshold?: number;
  /** Who really signs; the keys above when left out. */
  readonly signers?: readonly SigningKey[];
  readonly version?: number;
  /** Path to the target; taken from the top-level targets, where it is then no more, unless `custom` is given. */
  readonly targets: readonly string[];
  /** By path of a target. */
  readonly floors?: Readonly<Record<string, number>>;
  /** What it delegates itself, as it pleases. */
  readonly delegations?: Delegations;
}

export interface RoundOptions {
  readonly round?: number;
  readonly delegationKeys?: Record<string, Key>;
  /** In place of those to the publishers. */
  readonly delegations?: Delegations;
}

const specVersion = "1.0.31";

/** Replaces what the broker holds of the image repository by a round `round` versions ahead, with these publishers. */
export async function publishWithPublishers(
  fleet: Fleet,
  publishers: readonly PublisherMetadata[],
  { round = 100, delegationKeys, delegations }: RoundOptions = {},
): Promise<void> {
  const { workspace, broker, time } = fleet;
  const { image } = createTopics(workspace.settings.root);
  const { targets } = await loadRepository(imageDirectory(workspace));
  const expires = new Date(time.nowMs + 5 * dayMs).toISOString().replace(/\.\d+Z$/, "Z");
  const owned = new Set(publishers.flatMap((publisher) => publisher.targets));
  const meta: Record<string, MetaFile> = {};
  const put = async (role: string, content: Targets, signers: readonly SigningKey[]): Promise<void> => {
    const bytes = await encode(new Metadata(content), signers);
    meta[`${role}.json`] = new MetaFile({
      version: content.version,
      length: bytes.byteLength,
      hashes: { sha256: sha256Hex(bytes) },
    });
    broker.set(image(`${content.version}.${role}.json`), bytes);
  };
  for (const publisher of publishers) {
    const version = publisher.version ?? 1;
    const own = targets
      .filter(({ path }) => publisher.targets.includes(path))
      .map((file) => withFloor(file, publisher));
    const delegated = publisher.delegations === undefined ? {} : { delegations: publisher.delegations };
    const content = new Targets({ specVersion, version, expires, targets: byPath(own), ...delegated });
    await put(publisher.name, content, publisher.signers ?? publisher.keys);
  }
  const rest = byPath(targets.filter(({ path }) => !owned.has(path)));
  const delegated = delegations ?? createDelegations(publishers, delegationKeys);
  const top = new Targets({ specVersion, version: round, expires, targets: rest, delegations: delegated });
  await put("targets", top, [await workspace.loadKey("targets")]);
  const snapshot = await encode(new Metadata(new Snapshot({ specVersion, version: round, expires, meta })), [
    await workspace.loadKey("snapshot"),
  ]);
  broker.set(image(`${round}.snapshot.json`), snapshot);
  const timestamp = {
    version: round,
    expiresMs: Date.parse(expires),
    signedAtMs: time.nowMs,
    snapshot: { version: round, bytes: snapshot },
  };
  broker.set(image("timestamp.json"), await signTimestamp(timestamp, await workspace.loadKey("timestamp")));
}

function createDelegations(publishers: readonly PublisherMetadata[], keys?: Record<string, Key>): Delegations {
  const roles = publishers.map(
    ({ name, paths, keys: own, threshold = 1 }) =>
      new DelegatedRole({
        name,
        paths: [...paths],
        keyIDs: own.map(({ keyId }) => keyId),
        threshold,
        terminating: true,
      }),
  );
  const all = publishers.flatMap((publisher) => publisher.keys.map((key) => [key.keyId, toTufKey(key)] as const));
  return new Delegations({
    keys: { ...Object.fromEntries(all), ...keys },
    roles: Object.fromEntries(roles.map((role) => [role.name, role])),
  });
}

export function toTufKey({ keyId, publicKey }: SigningKey, id = keyId): Key {
  return new Key({
    keyID: id,
    keyType: "ed25519",
    scheme: "ed25519",
    keyVal: { public: Buffer.from(publicKey).toString("hex") },
  });
}

function withFloor(file: TargetFile, { floors }: PublisherMetadata): TargetFile {
  const floor = floors?.[file.path];
  if (floor === undefined) return file;
  const custom = { ...(file.custom as Record<string, never>), floor };
  return new TargetFile({ path: file.path, length: file.length, hashes: file.hashes, unrecognizedFields: { custom } });
}

function byPath(files: readonly TargetFile[]): Record<string, TargetFile> {
  return Object.fromEntries(files.map((file) => [file.path, file]));
}

async function encode(metadata: Metadata<Targets | Snapshot>, signers: readonly SigningKey[]): Promise<Uint8Array> {
  for (const signer of signers) {
    const unsigned = new TextEncoder().encode("");
    let content: Uint8Array = unsigned;
    metadata.sign((bytes) => {
      content = bytes;
      return new Signature({ keyID: signer.keyId, sig: "00" });
    }, true);
    metadata.signatures[signer.keyId] = new Signature({
      keyID: signer.keyId,
      sig: Buffer.from(await signer.sign(content)).toString("hex"),
    });
  }
  return new TextEncoder().encode(JSON.stringify(metadata.toJSON()));
}
