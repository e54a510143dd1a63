// Runs the life of a gateway once over the model of a disk, and checks every state that a power cut on the way may leave.
import { createHash } from "node:crypto";
import type { EventDocument, ReportedDocument } from "../../src/protocol/reports.ts";
import { isRefusal } from "../../src/protocol/refusal.ts";
import type { FileCalls } from "../../src/store/fileCalls.ts";
import { openNodeDisk } from "../../src/store/nodeDisk.ts";
import { type CrashDisk, createCrashDisk, nodesOf } from "./crashDisk.ts";
import { type Nodes, survivors, type Tree, treeOf } from "./crashFiles.ts";
import { openUpdateRig, type UpdateRig } from "./updateRig.ts";
import { crashing, gateway, runningAt, type UpdateRounds } from "./updateRounds.ts";

/** What the world outside the gateway has seen by the moment of a cut. */
interface Moment {
  readonly step: string;
  readonly nodes: Nodes;
  /** The deployment that is published. */
  readonly round: number;
  /** The highest deployment that was verified and acted on. */
  readonly verified: number;
  /** Versions that may run after the cut. */
  readonly running: readonly number[];
  readonly published: readonly (EventDocument | ReportedDocument)[];
}

export interface Enumeration {
  readonly steps: number;
  readonly cuts: number;
  readonly states: number;
  /** One line for each state in which something does not hold. */
  readonly violations: readonly string[];
}

const stateDirectory = "/state";
/** Versions that run before and after each deployment, as the rounds are made. */
const committed = [0, 1, 2, 2];

/** `spoil` changes the calls the real disk makes, so that a test can see what the model finds. */
export async function enumeratePowerCuts(
  rounds: UpdateRounds,
  spoil: (calls: FileCalls) => FileCalls = (calls) => calls,
): Promise<Enumeration> {
  const { moments, steps } = await runLife(rounds, spoil);
  const seen = new Set<string>();
  const violations: string[] = [];
  let cuts = 0;
  for (const moment of moments)
    for (const tree of survivors(moment.nodes)) {
      cuts += 1;
      const booted = await bootOver(tree, spoil);
      const digest = digestOf(treeOf(booted.nodes), moment);
      if (seen.has(digest)) continue;
      seen.add(digest);
      const found = await checkState(rounds, booted, moment, spoil).catch((thrown: unknown) => [`${thrown}`]);
      violations.push(...found.map((violation) => `cut before "${moment.step}": ${violation}`));
    }
  return { steps, cuts, states: seen.size, violations };
}

async function runLife(
  rounds: UpdateRounds,
  spoil: (calls: FileCalls) => FileCalls,
): Promise<{ readonly moments: readonly Moment[]; readonly steps: number }> {
  const moments: Moment[] = [];
  const published: (EventDocument | ReportedDocument)[] = [];
  let verified = 0;
  let round = 1;
  const note = (step: string, nodes: Nodes): void => {
    const running = [committed[round - 1] ?? 0, committed[round] ?? 0];
    moments.push({ step, nodes, round, verified, running, published: [...published] });
  };
  const calls = createCrashDisk({ before: note });
  for (; round <= rounds.brokers.length; round += 1) {
    const rig = await openRig(rounds, calls, {
      round,
      spoil,
      publish: async (document) => {
        note("a publish", calls.nodes);
        published.push(document);
        note("its acknowledgement", calls.nodes);
      },
      onVerified: (version) => void (verified = version),
    });
    await rig.update();
    note("the end of the round", calls.nodes);
  }
  return { moments, steps: calls.steps.length };
}

interface RigSettings {
  readonly round: number;
  readonly spoil: (calls: FileCalls) => FileCalls;
  readonly publish?: (document: EventDocument | ReportedDocument) => Promise<void>;
  readonly onVerified?: (version: number) => void;
}

let boots = 0;

async function openRig(rounds: UpdateRounds, calls: CrashDisk, settings: RigSettings): Promise<UpdateRig> {
  const { factory, nowMs, brokers } = rounds;
  const broker = brokers[settings.round - 1];
  boots += 1;
  return openUpdateRig({
    disk: await openNodeDisk(stateDirectory, settings.spoil(calls)),
    stateDirectory,
    factory,
    gateway,
    nowMs,
    bootId: `boot-${boots}`,
    fetch: async (topic) => broker?.get(topic),
    publish: async () => {},
    crashing,
    ...settings,
  });
}

/** The machine after the cut, when its disk was opened and what was half-written is removed. */
async function bootOver(tree: Tree, spoil: (calls: FileCalls) => FileCalls): Promise<CrashDisk> {
  const calls = createCrashDisk({ nodes: nodesOf(tree) });
  await openNodeDisk(stateDirectory, spoil(calls));
  return calls;
}

async function checkState(
  rounds: UpdateRounds,
  booted: CrashDisk,
  moment: Moment,
  spoil: (calls: FileCalls) => FileCalls,
): Promise<readonly string[]> {
  const violations: string[] = [];
  const { round, verified } = moment;
  const copy = (): CrashDisk => createCrashDisk({ nodes: booted.nodes });
  const offline = await openRig(rounds, copy(), { round, spoil });
  await offline.reconciler.runCommitted();
  if (!moment.running.includes(offline.version)) violations.push(`deployment ${offline.version} is the committed one`);
  if (offline.running.get("boiler") !== runningAt(offline.version))
    violations.push(`deployment ${offline.version} is committed and does not run whole`);
  for (let old = 1; old < verified; old += 1) {
    const replayed = await (await openRig(rounds, copy(), { round: old, spoil })).refresh();
    if (!isRefusal(replayed)) violations.push(`deployment ${old} was accepted again after ${verified}`);
  }
  const published = [...moment.published];
  const publish = async (document: EventDocument | ReportedDocument): Promise<void> => void published.push(document);
  const rig = await openRig(rounds, copy(), { round, spoil, publish });
  await rig.update();
  if (rig.version !== committed[round]) violations.push(`it settled at deployment ${rig.version}`);
  if (rig.running.get("boiler") !== runningAt(rig.version)) violations.push(`what it settled at does not run whole`);
  return [...violations, ...checkReports(published, round)];
}

/** Each deployment has one outcome: told, and never a second or another one. Told again, it is the same to the byte. */
export function checkReports(
  published: readonly (EventDocument | ReportedDocument)[],
  round: number,
): readonly string[] {
  const outcomes = new Set<string>();
  for (const document of published)
    if ("kind" in document && (document.kind === "committed" || document.kind === "rollback"))
      outcomes.add(JSON.stringify(document));
  const told = [...outcomes].map((text) =>
    (JSON.parse(text) as EventDocument).detail.replace(/ (is|failed).*/s, " $1"),
  );
  const expected = ["deployment 1 is", "deployment 2 is", "deployment 3 failed"].slice(0, round);
  const last = published.filter((document) => "phase" in document).at(-1);
  const end = `${last?.deployment} ${last?.desired} ${last?.phase}`;
  const ends = round === 3 ? ["2 3 rolled-back", "2 3 refused"] : [`${round} ${round} committed`];
  return [
    ...(told.sort().join() === expected.join() ? [] : [`the outcomes told are: ${told.join()}`]),
    ...(ends.includes(end) ? [] : [`the last report is: ${end}`]),
  ];
}

function digestOf(tree: Tree, { round, verified, running, published }: Moment): string {
  const hash = createHash("sha256").update(JSON.stringify([round, verified, running, published]));
  for (const [path, bytes] of tree) {
    const length = bytes === undefined ? -1 : bytes.length;
    hash.update(`${path}\0${length}\0`).update(bytes ?? new Uint8Array());
  }
  return hash.digest("hex");
}
