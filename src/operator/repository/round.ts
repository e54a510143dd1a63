// The next signatures over a repository: only the roles that change, the timestamp last, so that until then the old holds.
import { join } from "node:path";
import type { TargetFile } from "@tufjs/models";
import type { Delegations } from "@tufjs/models/dist/delegations.js";
import { writeFileAtomic, writeFilesAtomic } from "../files.ts";
import type { SigningKey } from "../keys/key.ts";
import type { Workspace } from "../workspace.ts";
import { signSnapshot, signTargets, signTimestamp } from "./metadata.ts";
import type { Listed } from "./metadata.ts";
import { loadRepository, targetsFile, timestampFile } from "./repository.ts";
import type { RepositoryState } from "./repository.ts";
import type { OnlineSigners, RoundSigners } from "./signers.ts";

export interface Round {
  readonly targets: readonly TargetFile[];
  /** Those of before when it is not given. */
  readonly delegations?: Delegations;
  /** Documents that the targets name, by file name. */
  readonly documents?: ReadonlyMap<string, Uint8Array>;
  readonly signers: RoundSigners;
}

/** Signed and not yet written. */
export interface NewRound {
  /** By file name; all of them are durable before the timestamp names them. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly timestamp: Uint8Array;
}

/** When it is, and how long signatures are good for. */
export type Terms = Pick<Workspace, "clock" | "expiries">;

type Before = Pick<RepositoryState, "versions" | "delegations" | "listed">;

/** Signs targets, snapshot and timestamp anew. */
export async function signRound(workspace: Workspace, directory: string, round: Round): Promise<void> {
  await keepRound(directory, await createRound(workspace, await loadRepository(directory), round));
}

/** The same without reading or writing anything. */
export async function createRound(terms: Terms, before: Before, round: Round): Promise<NewRound> {
  const version = before.versions.targets + 1;
  const expiresMs = terms.clock.nowMs() + terms.expiries.targetsMs;
  const content = { version, expiresMs, targets: round.targets, delegations: round.delegations ?? before.delegations };
  const bytes = await signTargets(content, round.signers.targets);
  const changed = { files: { [targetsFile]: { version, bytes } }, signers: round.signers };
  const { files, timestamp } = await createCommit(terms, before, changed);
  return { files: new Map([...(round.documents ?? []), ...files]), timestamp };
}

export async function keepRound(directory: string, { files, timestamp }: NewRound): Promise<void> {
  await writeFilesAtomic(directory, files);
  await writeFileAtomic(join(directory, timestampFile), timestamp);
}

interface Commit {
  /** By file name without its version: "targets.json", "acme.json". None renews snapshot and timestamp. */
  readonly files: Readonly<Record<string, Listed>>;
  readonly signers: OnlineSigners;
}

/** Takes signed metadata of targets over, and signs snapshot and timestamp that list it. */
export async function commitRound(workspace: Workspace, directory: string, commit: Commit): Promise<void> {
  await keepRound(directory, await createCommit(workspace, await loadRepository(directory), commit));
}

async function createCommit(terms: Terms, { versions, listed }: Before, { files, signers }: Commit): Promise<NewRound> {
  const { [targetsFile]: targets, ...others } = { ...listed, ...files };
  if (targets === undefined) throw new TypeError("a first round brings targets.json");
  const version = versions.snapshot + 1;
  const expiresMs = terms.clock.nowMs() + terms.expiries.snapshotMs;
  const snapshot = { version, bytes: await signSnapshot({ version, expiresMs, targets, others }, signers.snapshot) };
  const changed = Object.entries(files).map(([name, file]) => [`${file.version}.${name}`, file.bytes] as const);
  return {
    files: new Map([...changed, [`${version}.snapshot.json`, snapshot.bytes]]),
    timestamp: await createTimestamp(terms, versions.timestamp + 1, { snapshot, signer: signers.timestamp }),
  };
}

interface TimestampCommit {
  readonly snapshot: Listed;
  readonly signer: SigningKey;
}

/** Signs the timestamp alone. */
export async function commitTimestamp(workspace: Workspace, directory: string, commit: TimestampCommit): Promise<void> {
  const { versions } = await loadRepository(directory);
  const timestamp = await createTimestamp(workspace, versions.timestamp + 1, commit);
  await writeFileAtomic(join(directory, timestampFile), timestamp);
}

function createTimestamp(
  { clock, expiries }: Terms,
  version: number,
  { snapshot, signer }: TimestampCommit,
): Promise<Uint8Array> {
  const nowMs = clock.nowMs();
  return signTimestamp({ version, expiresMs: nowMs + expiries.timestampMs, signedAtMs: nowMs, snapshot }, signer);
}
