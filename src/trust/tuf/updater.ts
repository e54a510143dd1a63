// Runs tuf-js's Updater over our own fetch, and says in our words what came of it.
import type { TargetFile } from "@tufjs/models";
import { Updater } from "tuf-js";
import type { Fetcher } from "tuf-js";
import * as tuf from "tuf-js/dist/error.js";
import { TrustedMetadataStore } from "tuf-js/dist/store.js";
import { limits } from "../../base/limits.ts";
import { isRefusal, refuse } from "../../protocol/refusal.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { TrustError } from "../error.ts";
import type { FetchFile } from "../fetchFile.ts";
import { describeRoot, readSignedAt, readTargets, readVouchers } from "./metadata.ts";
import type { DelegatedRole, SignedTarget, VerifiedMetadata } from "./metadata.ts";
import { fixes, Witness } from "./witness.ts";

export interface UpdaterRun {
  /** Holds root.json, and what else is known; the Updater writes what it verifies into it. */
  readonly directory: string;
  readonly fetchFile: FetchFile;
  readonly nowMs: number;
  /**
   * Targets to look for among those of publishers (TUF 5.6.7), besides those that the top-level targets list. What a
   * publisher lists in the same directories is found as well, as far as it is trusted with it.
   */
  readonly paths?: readonly string[];
}

/** Runs the client workflow once. Rejects with what `fetchFile` rejected with, or TrustError; any other no is a Refusal. */
export async function runUpdater(run: UpdaterRun): Promise<VerifiedMetadata | Refusal | "no-timestamp"> {
  const witness = new Witness();
  const metadataBaseUrl = "tuf://repository";
  const config = {
    maxRootRotations: limits.trust.rootRotations,
    maxDelegations: limits.trust.publishers,
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
    const search = { witness, paths: run.paths ?? [] };
    const published = await findPublished(updater, store, search);
    return isRefusal(published) ? published : readVerified(store, search, published);
  } catch (thrown) {
    return witness.explain(thrown);
  }
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
  throw new TrustError("tuf-js-changed", "tuf-js keeps its trusted set elsewhere; adapt src/trust/tuf to it.");
}

/** TUF 5.1 fixes the time at the start of the update; tuf-js has no option for it. */
function setReferenceTime(store: TrustedMetadataStore, nowMs: number): void {
  if (!(Reflect.get(store, "referenceTime") instanceof Date))
    throw new TrustError("tuf-js-changed", "tuf-js keeps its reference time elsewhere; adapt src/trust/tuf to it.");
  // After a time that is none nothing ever expires.
  Reflect.set(store, "referenceTime", new Date(Math.min(nowMs, limits.time.latestMs)));
}

interface Search {
  readonly witness: Witness;
  readonly paths: readonly string[];
}

/**
 * Asks for every path, so that the publishers on the way are loaded, and then for every other target of theirs in the
 * same directories: one that they list outside the paths they are trusted with is never found that way.
 */
async function findPublished(
  updater: Updater,
  store: TrustedMetadataStore,
  { witness, paths }: Search,
): Promise<readonly SignedTarget[] | Refusal> {
  const found: SignedTarget[] = [];
  const vouched = async (path: string): Promise<TargetFile | undefined> => await updater.getTargetInfo(path);
  for (const path of paths) await vouched(path);
  const directories = new Set(paths.map((path) => path.slice(0, path.indexOf("/") + 1)));
  for (const role of witness.delegators.keys()) {
    const metadata = targetsOf(store, role);
    const listed = metadata && readTargets(metadata, role);
    if (metadata === undefined || listed === undefined) return refuseTargets(role);
    for (const target of listed) {
      if (!directories.has(target.path.slice(0, target.path.indexOf("/") + 1))) continue;
      if ((await vouched(target.path)) === metadata.targets[target.path]) found.push(target);
    }
  }
  return found;
}

function readVerified(
  store: TrustedMetadataStore,
  { witness, paths }: Search,
  published: readonly SignedTarget[],
): VerifiedMetadata | Refusal {
  const { root, timestamp, snapshot, targets } = store;
  if (timestamp === undefined || snapshot === undefined || targets === undefined)
    throw new TrustError("tuf-js-changed", "tuf-js ended a refresh without all roles.");
  const publishers = readPublishers(store, witness);
  const versions = {
    root: root.signed.version,
    timestamp: timestamp.signed.version,
    snapshot: snapshot.signed.version,
    targets: targets.signed.version,
  };
  const all = [...Object.values(versions), ...[...publishers.values()].map(({ version }) => version)];
  if (!all.every((version) => Number.isSafeInteger(version) && version > 0))
    return refuse("trust.malformed", `Versions are not whole: ${all.join(", ")}.`, fixes.malformed);
  const listed = readTargets(targets.signed, "targets");
  if (listed === undefined) return refuseTargets("targets");
  return {
    root: describeRoot(root.signed),
    versions,
    signedAtMs: readSignedAt(timestamp.signed),
    // TUF 5.6.7: what the top-level targets list themselves counts before any delegation.
    targets: new Map([...published, ...listed].map((target) => [target.path, target])),
    publishers,
    vouchers: new Map(paths.map((path) => [path, readVouchers(targets.signed, path)])),
    delegates: targets.signed.delegations !== undefined,
  };
}

function readPublishers(store: TrustedMetadataStore, witness: Witness): ReadonlyMap<string, DelegatedRole> {
  return new Map(
    [...witness.delegators].map(([role, delegator]) => {
      const above = targetsOf(store, delegator);
      const authority = { version: above?.version ?? 0, keys: above?.delegations?.roles?.[role]?.keyIDs ?? [] };
      return [role, { version: targetsOf(store, role)?.version ?? 0, authority }];
    }),
  );
}

function targetsOf(store: TrustedMetadataStore, role: string): NonNullable<typeof store.targets>["signed"] | undefined {
  const metadata = role === "targets" ? store.targets : store.getRole(role);
  return metadata?.signed.type === "targets"
    ? (metadata.signed as NonNullable<typeof store.targets>["signed"])
    : undefined;
}

function refuseTargets(role: string): Refusal {
  return refuse(
    "trust.malformed",
    `A target of ${role} has no sha-256, no whole length or too long a path.`,
    fixes.malformed,
  );
}
