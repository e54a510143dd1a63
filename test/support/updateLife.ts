// The life of one gateway over the model of a disk, noted at every operation: what is on the disk, and what the world has seen.
import type { EventDocument, ReportedDocument } from "../../src/protocol/reports.ts";
import { isRefusal } from "../../src/protocol/refusal.ts";
import type { FileCalls } from "../../src/store/fileCalls.ts";
import { openNodeDisk } from "../../src/store/nodeDisk.ts";
import { createCrashDisk, nodesOf } from "./crashDisk.ts";
import type { Nodes } from "./crashFiles.ts";
import { openUpdateRig, type UpdateRig } from "./updateRig.ts";
import { crashing, gateway, runningAt, type UpdateRounds } from "./updateRounds.ts";

/** What the world outside the gateway has seen. */
export interface World {
  /** The deployment that is published. */
  readonly round: number;
  /** The highest deployment that was verified and acted on. */
  readonly verified: number;
  readonly published: readonly (EventDocument | ReportedDocument)[];
}

export interface Moment {
  /** What comes next. */
  readonly step: string;
  readonly nodes: Nodes;
  readonly world: World;
}

export interface LifeOptions {
  readonly rounds: UpdateRounds;
  /** Changes the calls the real disk makes, so that a test can see what the model finds. */
  readonly spoil: (calls: FileCalls) => FileCalls;
}

const stateDirectory = "/state";
/** Versions that run after each deployment, as the rounds are made; the third fails. */
const committed = [0, 1, 2, 2];

/** Every deployment once, each by a process of its own. */
export async function liveOnce(options: LifeOptions): Promise<readonly Moment[]> {
  const moments: Moment[] = [];
  // Whoever installs the agent makes its state directory.
  let nodes = nodesOf(new Map([[stateDirectory, undefined]]));
  let world: World = { round: 0, verified: 0, published: [] };
  for (let round = 1; round <= options.rounds.brokers.length; round += 1) {
    const next = await runOn(options, { nodes, world: { ...world, round }, bootId: `boot-${round}` });
    moments.push(...next);
    ({ nodes, world } = next.at(-1) ?? { nodes, world });
  }
  return moments;
}

export interface Start {
  readonly nodes: Nodes;
  readonly world: World;
  readonly bootId: string;
}

/** A process boots and does what there is to do. The last moment is its end; whether it got there is for the caller. */
export async function runOn(options: LifeOptions, { nodes, world, bootId }: Start): Promise<readonly Moment[]> {
  const moments: Moment[] = [];
  const published = [...world.published];
  let { verified } = world;
  const note = (step: string, nodes: Nodes): void =>
    void moments.push({ step, nodes, world: { round: world.round, verified, published: [...published] } });
  const calls = createCrashDisk({ nodes, before: note });
  const rig = await openRig(options, calls, {
    bootId,
    round: world.round,
    publish: async (document) => {
      note("a publish", calls.nodes);
      published.push(document);
      note("its acknowledgement", calls.nodes);
    },
    onVerified: (version) => void (verified = Math.max(verified, version)),
  });
  await rig.update();
  note("the end", calls.nodes);
  return moments;
}

/** One line for each thing that must hold on this disk and does not. */
export async function checkBoot(options: LifeOptions, { nodes, world, bootId }: Start): Promise<readonly string[]> {
  const violations: string[] = [];
  const { round, verified } = world;
  const open = (settings: Partial<RigSettings> = {}): Promise<UpdateRig> =>
    openRig(options, createCrashDisk({ nodes }), { round, bootId, ...settings });
  const offline = await open();
  await offline.reconciler.runCommitted();
  const after = committed[round] ?? 0;
  const isTold = outcomesOf(world.published).some((detail) => detail.startsWith(`deployment ${round} `));
  if (offline.version !== after && (isTold || offline.version !== committed[round - 1]))
    violations.push(`deployment ${offline.version} is the committed one${isTold ? " after another was told" : ""}`);
  if (offline.running.get("boiler") !== runningAt(offline.version))
    violations.push(`deployment ${offline.version} is committed and does not run whole`);
  for (let old = 1; old < verified; old += 1) {
    const replayed = await (await open({ round: old })).refresh();
    if (!isRefusal(replayed)) violations.push(`deployment ${old} was accepted again after ${verified}`);
  }
  const published = [...world.published];
  const rig = await open({ publish: async (document) => void published.push(document) });
  await rig.update();
  if (rig.version !== after) violations.push(`it settled at deployment ${rig.version}`);
  if (rig.running.get("boiler") !== runningAt(rig.version)) violations.push("what it settled at does not run whole");
  return [...violations, ...checkReports(published, round)];
}

/** Each deployment has one outcome: told, and never a second or another one. Told again, it is the same to the byte. */
export function checkReports(published: World["published"], round: number): readonly string[] {
  const told = outcomesOf(published).map((detail) => detail.replace(/ (is|failed).*/s, " $1"));
  const expected = ["deployment 1 is", "deployment 2 is", "deployment 3 failed"].slice(0, round);
  const last = published.filter((document) => "phase" in document).at(-1);
  const end = `${last?.deployment} ${last?.desired} ${last?.phase}`;
  const ends = round === 3 ? ["2 3 rolled-back", "2 3 refused"] : [`${round} ${round} committed`];
  return [
    ...(told.sort().join() === expected.join() ? [] : [`the outcomes told are: ${told.join()}`]),
    ...(ends.includes(end) ? [] : [`the last report is: ${end}`]),
  ];
}

/** What different events told of how deployments ended. */
function outcomesOf(published: World["published"]): string[] {
  const outcomes = new Set<string>();
  for (const document of published)
    if ("kind" in document && (document.kind === "committed" || document.kind === "rollback"))
      outcomes.add(JSON.stringify(document));
  return [...outcomes].map((text) => (JSON.parse(text) as EventDocument).detail);
}

/** Makes of what a cut left what the next boot of the disk makes of it: what was half-written is gone. */
export async function cleanNodes({ spoil }: LifeOptions, nodes: Nodes): Promise<Nodes> {
  const calls = createCrashDisk({ nodes });
  await openNodeDisk(stateDirectory, spoil(calls));
  return calls.nodes;
}

interface RigSettings {
  readonly round: number;
  readonly bootId: string;
  readonly publish?: (document: EventDocument | ReportedDocument) => Promise<void>;
  readonly onVerified?: (version: number) => void;
}

async function openRig({ rounds, spoil }: LifeOptions, calls: FileCalls, settings: RigSettings): Promise<UpdateRig> {
  const { factory, nowMs, brokers } = rounds;
  const broker = brokers[settings.round - 1];
  const disk = await openNodeDisk(stateDirectory, spoil(calls));
  const fetch = async (topic: string): Promise<Uint8Array | undefined> => broker?.get(topic);
  const fixed = { disk, stateDirectory, factory, gateway, nowMs, crashing, fetch };
  return openUpdateRig({ publish: async () => {}, ...fixed, ...settings });
}
