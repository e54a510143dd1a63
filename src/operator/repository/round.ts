// The next signatures over a repository: only the roles that change, the timestamp last, so that until then the old holds.
import { join } from "node:path";
import type { TargetFile } from "@tufjs/models";
import type { Delegations } from "@tufjs/models/dist/delegations.js";
import { writeFileAtomic } from "../files.ts";
import type { SigningKey } from "../keys/key.ts";
import type { Workspace } from "../workspace.ts";
import { signSnapshot, signTargets, signTimestamp } from "./metadata.ts";
import type { Listed } from "./metadata.ts";
import { loadRepository, targetsFile, timestampFile } from "./repository.ts";
import type { OnlineSigners, RoundSigners } from "./signers.ts";

export interface Round {
  readonly targets: readonly TargetFile[];
  /** Those of before when it is not given. */
  readonly delegations?: Delegations;
  readonly signers: RoundSigners;
}

/** Signs targets, snapshot and timestamp anew. */
export async function signRound(workspace: Workspace, directory: string, round: Round): Promise<void> {
  const { versions, delegations } = await loadRepository(directory);
  const version = versions.targets + 1;
  const expiresMs = workspace.clock.nowMs() + workspace.expiries.targetsMs;
  const content = { version, expiresMs, targets: round.targets, delegations: round.delegations ?? delegations };
  const bytes = await signTargets(content, round.signers.targets);
  await commitRound(workspace, directory, { files: { [targetsFile]: { version, bytes } }, signers: round.signers });
}

/** Takes signed metadata of targets over, and signs snapshot and timestamp that list it. */
export async function commitRound(
  workspace: Workspace,
  directory: string,
  // By file name without its version: "targets.json", "acme.json". None renews snapshot and timestamp.
  round: { readonly files: Readonly<Record<string, Listed>>; readonly signers: OnlineSigners },
): Promise<void> {
  const { versions, listed } = await loadRepository(directory);
  const { expiries, clock } = workspace;
  const { [targetsFile]: targets, ...others } = { ...listed, ...round.files };
  if (targets === undefined) throw new TypeError("a first round brings targets.json");
  const version = versions.snapshot + 1;
  const expiresMs = clock.nowMs() + expiries.snapshotMs;
  const snapshot = {
    version,
    bytes: await signSnapshot({ version, expiresMs, targets, others }, round.signers.snapshot),
  };
  for (const [name, file] of Object.entries(round.files))
    await writeFileAtomic(join(directory, `${file.version}.${name}`), file.bytes);
  await writeFileAtomic(join(directory, `${version}.snapshot.json`), snapshot.bytes);
  await commitTimestamp(workspace, directory, { snapshot, signer: round.signers.timestamp });
}

/** Signs the timestamp alone. */
export async function commitTimestamp(
  workspace: Workspace,
  directory: string,
  { snapshot, signer }: { readonly snapshot: Listed; readonly signer: SigningKey },
): Promise<void> {
  const { versions } = await loadRepository(directory);
  const nowMs = workspace.clock.nowMs();
  const timestamp = await signTimestamp(
    {
      version: versions.timestamp + 1,
      expiresMs: nowMs + workspace.expiries.timestampMs,
      signedAtMs: nowMs,
      snapshot,
    },
    signer,
  );
  await writeFileAtomic(join(directory, timestampFile), timestamp);
}
