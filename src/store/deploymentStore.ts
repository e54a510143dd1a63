// Which deployment runs, which ran before, which is on trial and which failed: one record, replaced by one rename.
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../base/clock.ts";
import type { Disk } from "../base/disk.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { DeploymentText } from "../protocol/deployment.ts";
import type { EventDocument } from "../protocol/reports.ts";
import { type AlternatingFile, openAlternatingFile, readAlternatingFile } from "./alternatingFile.ts";

export interface CommittedComponent {
  /** "boiler@1.0.0" */
  readonly release: string;
  readonly sha256: string;
  readonly counter: number;
  readonly lengthBytes: number;
}

/** One deployment with the exact components it runs. */
export interface CommittedSet {
  readonly version: number;
  readonly deployment: DeploymentText;
  readonly components: Readonly<Record<string, CommittedComponent>>;
}

export interface FailedDeployment {
  readonly version: number;
  readonly reason: string;
  /** ISO 8601 */
  readonly at: string;
}

export interface DeploymentRecord {
  readonly active?: CommittedSet;
  readonly previous?: CommittedSet;
  readonly trial?: { readonly set: CommittedSet; readonly attempts: number };
  /** The last `limits.deployment.failedRemembered`, oldest first. */
  readonly failed: readonly FailedDeployment[];
  /** How deployments ended, as the operator is to be told: not yet acknowledged, oldest first; as many as `failed`. */
  readonly untold?: readonly EventDocument[];
}

/** Every change resolves when a power cut cannot undo it; a cut before that leaves the record as it was or as it became. */
export interface DeploymentStore {
  read(): DeploymentRecord;
  /** The set is about to be started for the first time. */
  beginTrial(set: CommittedSet): Promise<DeploymentRecord>;
  /** A restart interrupted the trial; it is about to be started again. The caller compares `attempts` with its limit. */
  retryTrial(): Promise<DeploymentRecord>;
  /** Trial to active and active to previous, at once. With every end comes what is to be told of it: both or neither. */
  commitTrial(outcome: EventDocument): Promise<DeploymentRecord>;
  /** Drops the trial and remembers that its version failed; active stays. */
  failTrial(reason: string, outcome: EventDocument): Promise<DeploymentRecord>;
  /** Previous becomes active again and the active one counts as failed; without a previous one nothing is active. */
  revert(reason: string, outcome: EventDocument): Promise<DeploymentRecord>;
  /** The broker has it: it is not told again after a restart. */
  told(outcome: EventDocument): Promise<DeploymentRecord>;
}

export interface DeploymentStoreOptions {
  readonly clock: Clock;
  readonly log: Log;
}

export async function openDeploymentStore(
  disk: Disk,
  directory: string,
  { clock, log }: DeploymentStoreOptions,
): Promise<DeploymentStore> {
  const file: AlternatingFile = await openAlternatingFile(disk, directory, "deployments", log);
  let record = (file.initial ?? { failed: [] }) as DeploymentRecord;
  let earlier: Promise<unknown> = Promise.resolve();

  const change = (edit: (current: DeploymentRecord) => DeploymentRecord): Promise<DeploymentRecord> => {
    const changed = earlier.then(async () => {
      const wanted = edit(record);
      await file.replace(wanted);
      record = wanted;
      return wanted;
    });
    earlier = changed.catch(() => undefined);
    return changed;
  };
  const failure = (set: CommittedSet, reason: string): FailedDeployment => ({
    version: set.version,
    reason,
    at: new Date(clock.nowMs()).toISOString(),
  });
  return {
    read: () => record,
    beginTrial: (set) => change((current) => ({ ...current, trial: { set, attempts: 1 } })),
    retryTrial: () => change((current) => ({ ...current, trial: nextAttempt(current) })),
    commitTrial: (outcome) =>
      change(({ active, failed, untold, ...rest }) => ({
        active: trialOf(rest).set,
        ...(active && { previous: active }),
        failed,
        untold: remember(untold, outcome),
      })),
    failTrial: (reason, outcome) =>
      change(({ trial, ...rest }) => ({
        ...rest,
        failed: remember(rest.failed, failure(trialOf({ trial }).set, reason)),
        untold: remember(rest.untold, outcome),
      })),
    revert: (reason, outcome) =>
      change(({ active, previous, failed, untold }) => {
        assert(active !== undefined, "only an active deployment is reverted");
        return {
          ...(previous && { active: previous }),
          failed: remember(failed, failure(active, reason)),
          untold: remember(untold, outcome),
        };
      }),
    told: (outcome) =>
      change(({ untold = [], ...rest }) => {
        const left = untold.filter((event) => !isDeepStrictEqual(event, outcome));
        return left.length === 0 ? rest : { ...rest, untold: left };
      }),
  };
}

/** The record as it is on the disk, for who only looks; another process may be changing it. */
export async function readDeployments(
  disk: Pick<Disk, "readFile">,
  directory: string,
  log: Log,
): Promise<DeploymentRecord> {
  return ((await readAlternatingFile(disk, directory, "deployments", log)) ?? { failed: [] }) as DeploymentRecord;
}

type Trial = NonNullable<DeploymentRecord["trial"]>;

function trialOf({ trial }: { readonly trial?: Trial | undefined }): Trial {
  assert(trial !== undefined, "there is a deployment on trial");
  return trial;
}

function nextAttempt(record: DeploymentRecord): Trial {
  const { set, attempts } = trialOf(record);
  return { set, attempts: attempts + 1 };
}

function remember<T>(earlier: readonly T[] = [], last: T): readonly T[] {
  return [...earlier, last].slice(-limits.deployment.failedRemembered);
}
