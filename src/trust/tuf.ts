// The one place that touches tuf-js: runs its Updater over our own fetch and says in our words what came of it.
import { Metadata, MetadataKind } from "@tufjs/models";
import type { Root, Targets, Timestamp } from "@tufjs/models";
import { LengthOrHashMismatchError, UnsignedMetadataError } from "@tufjs/models/dist/error.js";
import { Updater } from "tuf-js";
import type { Fetcher } from "tuf-js";
import * as tuf from "tuf-js/dist/error.js";
import { TrustedMetadataStore } from "tuf-js/dist/store.js";
import { describeError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { refuse } from "../protocol/refusal.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { signedAtField } from "../protocol/repository.ts";
import { TrustError } from "./error.ts";
import type { FetchFile } from "./fetchFile.ts";

export const roles = ["root", "timestamp", "snapshot", "targets"] as const;
export type Role = (typeof roles)[number];

export interface TrustedRoot {
  readonly version: number;
  readonly keys: Readonly<Record<Role, readonly string[]>>;
}

export interface SignedTarget {
  readonly path: string;
  readonly lengthBytes: number;
  readonly sha256: string;
  readonly custom: unknown;
}

/** What a repository says, after every check of TUF 5.3 to 5.6. */
export interface VerifiedMetadata {
  readonly root: TrustedRoot;
  readonly versions: Readonly<Record<Role, number>>;
  /** When the timestamp was signed, as its signer says; never after its own expiry. */
  readonly signedAtMs: number | undefined;
  readonly targets: ReadonlyMap<string, SignedTarget>;
  readonly delegates: boolean;
}

export interface UpdaterRun {
  /** Holds root.json, and what else is known; the Updater writes what it verifies into it. */
  readonly directory: string;
  readonly fetchFile: FetchFile;
  readonly nowMs: number;
}

/** Runs the client workflow once. Rejects with what `fetchFile` rejected with, or TrustError; any other no is a Refusal. */
export async function runUpdater(run: UpdaterRun): Promise<VerifiedMetadata | Refusal | "no-timestamp"> {
  const witness = new Witness();
  const metadataBaseUrl = "tuf://repository";
  const config = {
    maxRootRotations: limits.trust.rootRotations,
    rootMaxLength: limits.trust.rootMaxBytes,
    timestampMaxLength: limits.trust.timestampMaxBytes,
    snapshotMaxLength: limits.trust.snapshotMaxBytes,
    targetsMaxLength: limits.trust.targetsMaxBytes,
  };
  const fetcher = createFetcher(run.fetchFile, witness);
  const updater = new Updater({ metadataDir: run.directory, metadataBaseUrl, fetcher, config });
  const store = storeOf(updater);
  setReferenceTime(store, run.nowMs);
  witness.watch(store);
  try {
    await updater.refresh();
  } catch (thrown) {
    return witness.explain(thrown);
  }
  return readVerified(store);
}

/** A root that parses and carries its own threshold of signatures; undefined for anything else. */
export function readRoot(bytes: Uint8Array): TrustedRoot | undefined {
  try {
    const root = Metadata.fromJSON(MetadataKind.Root, JSON.parse(new TextDecoder().decode(bytes)));
    root.verifyDelegate("root", root);
    return describeRoot(root.signed);
  } catch {
    // Whatever is wrong with it, it is not a root to trust; the caller falls back to the factory's.
    return undefined;
  }
}

/**
 * Hears every failure where it happens. The Updater turns snapshot and targets failures into text (RuntimeError), so
 * the last one it met is remembered here, by class and by step; no message is ever matched.
 */
class Witness {
  #refusal: Refusal | undefined;
  #transport: { readonly thrown: unknown } | undefined;
  #noTimestamp = false;

  watch(store: TrustedMetadataStore): void {
    store.updateRoot = this.#watched("root", store, store.updateRoot.bind(store));
    store.updateTimestamp = this.#watched("timestamp", store, store.updateTimestamp.bind(store));
    store.updateSnapshot = this.#watched("snapshot", store, store.updateSnapshot.bind(store));
    store.updateDelegatedTargets = this.#watched("targets", store, store.updateDelegatedTargets.bind(store));
  }

  unreachable(thrown: unknown): void {
    this.#transport = { thrown };
  }

  missing(name: string): void {
    this.#noTimestamp = name === "timestamp.json";
    this.#refusal = refuse("trust.missing", `${name} is not there.`, "Publish the repository again.");
  }

  tooLong(name: string, maxBytes: number): void {
    // TUF 5.3.3, 5.4.1, 5.5.1, 5.6.1: no role may send more than its bound (endless data).
    this.#refusal = refuse("trust.mismatch", `${name} is longer than ${maxBytes} bytes.`, fixes["trust.mismatch"]);
  }

  explain(thrown: unknown): Refusal | "no-timestamp" {
    if (this.#transport !== undefined) throw this.#transport.thrown;
    if (this.#noTimestamp) return "no-timestamp";
    if (this.#refusal !== undefined) return this.#refusal;
    // The Updater trips over a snapshot that does not list targets.json before the store can say so.
    if (thrown instanceof TypeError) return refuse("trust.malformed", "The snapshot is incomplete.", fixes.malformed);
    const message = `The metadata could not be kept while it was verified: ${describeError(thrown)}. Is the temporary directory full?`;
    throw new TrustError("scratch-failed", message, { cause: thrown, retryable: true });
  }

  #watched<Args extends unknown[], Result>(
    step: Role,
    store: TrustedMetadataStore,
    call: (...args: Args) => Result,
  ): (...args: Args) => Result {
    return (...args) => {
      const before = store.snapshot;
      try {
        const result = call(...args);
        this.#refusal = undefined;
        return result;
      } catch (thrown) {
        this.#refusal = classify(step, thrown, store.snapshot !== before);
        throw thrown;
      }
    };
  }
}

const fixes = {
  malformed: "Sign and publish the repository again with a current outstation.",
  "trust.signature": "Sign with the keys the root names, and enough of them.",
  "trust.rollback": "Publish the newest metadata again; a broker or mirror may be serving old files.",
  "trust.expired": "Sign and publish the repository again, and check the gateway's clock.",
  "trust.mismatch": "Publish the repository again; files of different moments may be mixed.",
} as const;

/** The rule a failure of one step breaks. `accepted`: the store took the snapshot and refused it only as the final one. */
function classify(step: Role, thrown: unknown, accepted: boolean): Refusal | undefined {
  const seen = `${step}: ${describeError(thrown)}.`;
  // The same timestamp again is the normal case of nothing new (TUF 5.4.3).
  if (thrown instanceof tuf.EqualVersionError) return undefined;
  // TUF 5.3.4, 5.4.2, 5.5.3, 5.6.3: arbitrary software attack.
  if (thrown instanceof UnsignedMetadataError) return refuse("trust.signature", seen, fixes["trust.signature"]);
  // TUF 5.3.10, 5.4.4, 5.5.6, 5.6.5: freeze attack.
  if (thrown instanceof tuf.ExpiredMetadataError) return refuse("trust.expired", seen, fixes["trust.expired"]);
  // TUF 5.5.2, 5.6.2: length and hash as the role above signed them.
  if (thrown instanceof LengthOrHashMismatchError) return refuse("trust.mismatch", seen, fixes["trust.mismatch"]);
  if (thrown instanceof tuf.BadVersionError) {
    // TUF 5.5.4, 5.6.4: the version the role above named; otherwise 5.3.5, 5.4.3, 5.5.5: rollback.
    const mixed = step === "targets" || (step === "snapshot" && accepted);
    const rule = mixed ? "trust.mismatch" : "trust.rollback";
    return refuse(rule, seen, fixes[rule]);
  }
  // TUF 5.5.5: a role that vanishes from the snapshot is a rollback of that role.
  if (thrown instanceof tuf.RepositoryError && step === "snapshot")
    return refuse("trust.rollback", seen, fixes["trust.rollback"]);
  return refuse("trust.malformed", seen, fixes.malformed);
}

/** Bytes go straight to the Updater: no temporary file, and no stream that could reject after everybody left. */
function createFetcher(fetchFile: FetchFile, witness: Witness): Fetcher {
  const downloadBytes = async (url: string, maxLength: number): Promise<Buffer> => {
    const name = decodeURIComponent(new URL(url).pathname.slice(1));
    // A signed length cannot widen our own bound.
    const maxBytes = Math.min(maxLength, limits.trust.targetsMaxBytes);
    const bytes = await fetchFile(name, maxBytes).catch((thrown: unknown) => {
      witness.unreachable(thrown);
      throw thrown;
    });
    if (bytes === undefined) {
      witness.missing(name);
      // TUF 5.3.3: this very class and status end the root chain.
      throw new tuf.DownloadHTTPError(`${name} is not there`, 404);
    }
    if (bytes.byteLength > maxBytes) {
      witness.tooLong(name, maxBytes);
      throw new tuf.DownloadLengthMismatchError(`${name} is too long`);
    }
    return Buffer.from(bytes);
  };
  const downloadFile: Fetcher["downloadFile"] = () =>
    Promise.reject(new TrustError("tuf-js-changed", "tuf-js asked for a file where it used to ask for bytes."));
  return { downloadBytes, downloadFile };
}

function storeOf(updater: Updater): TrustedMetadataStore {
  const store: unknown = Reflect.get(updater, "trustedSet");
  if (store instanceof TrustedMetadataStore) return store;
  throw new TrustError("tuf-js-changed", "tuf-js keeps its trusted set elsewhere; adapt src/trust/tuf.ts to it.");
}

/** TUF 5.1 fixes the time at the start of the update; tuf-js has no option for it. */
function setReferenceTime(store: TrustedMetadataStore, nowMs: number): void {
  if (!(Reflect.get(store, "referenceTime") instanceof Date))
    throw new TrustError("tuf-js-changed", "tuf-js keeps its reference time elsewhere; adapt src/trust/tuf.ts to it.");
  Reflect.set(store, "referenceTime", new Date(nowMs));
}

function readVerified(store: TrustedMetadataStore): VerifiedMetadata | Refusal {
  const { root, timestamp, snapshot, targets } = store;
  if (timestamp === undefined || snapshot === undefined || targets === undefined)
    throw new TrustError("tuf-js-changed", "tuf-js ended a refresh without all roles.");
  const versions = {
    root: root.signed.version,
    timestamp: timestamp.signed.version,
    snapshot: snapshot.signed.version,
    targets: targets.signed.version,
  };
  if (!Object.values(versions).every((version) => Number.isSafeInteger(version) && version > 0))
    return refuse("trust.malformed", `Versions are not whole: ${JSON.stringify(versions)}.`, fixes.malformed);
  const listed = readTargets(targets.signed);
  if (listed === undefined)
    return refuse("trust.malformed", "A target has no sha-256 or no whole length.", fixes.malformed);
  return {
    root: describeRoot(root.signed),
    versions,
    signedAtMs: readSignedAt(timestamp.signed),
    targets: listed,
    delegates: targets.signed.delegations !== undefined,
  };
}

function readTargets(targets: Targets): ReadonlyMap<string, SignedTarget> | undefined {
  const listed = new Map<string, SignedTarget>();
  for (const [path, target] of Object.entries(targets.targets)) {
    const sha256 = target.hashes["sha256"];
    if (sha256 === undefined || !Number.isSafeInteger(target.length)) return undefined;
    listed.set(path, { path, lengthBytes: target.length, sha256, custom: target.unrecognizedFields["custom"] });
  }
  return listed;
}

function readSignedAt(timestamp: Timestamp): number | undefined {
  const text = timestamp.unrecognizedFields[signedAtField];
  const signedAtMs = typeof text === "string" ? Date.parse(text) : Number.NaN;
  return signedAtMs <= Date.parse(timestamp.expires) ? signedAtMs : undefined;
}

function describeRoot(root: Root): TrustedRoot {
  const keysOf = (role: Role): readonly string[] => root.roles[role]?.keyIDs ?? [];
  return {
    version: root.version,
    keys: {
      root: keysOf("root"),
      timestamp: keysOf("timestamp"),
      snapshot: keysOf("snapshot"),
      targets: keysOf("targets"),
    },
  };
}
