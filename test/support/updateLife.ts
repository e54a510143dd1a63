// The life of one gateway over the model of a disk, noted at every operation: what is on the disk, and what the world has seen.
import type { Disk } from "../../src/base/disk.ts";
import type { FileCalls } from "../../src/store/fileCalls.ts";
import { openNodeDisk } from "../../src/store/nodeDisk.ts";
import { createCrashDisk, nodesOf } from "./crashDisk.ts";
import type { Nodes } from "./crashFiles.ts";
import { givingUp, openRoundRig, type World } from "./checkBoot.ts";
import type { UpdateRounds } from "./roundsFile.ts";

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

export const stateDirectory = "/state";

/** Every deployment once, each by a process of its own; at last the committed one is given up. */
export async function liveOnce(options: LifeOptions): Promise<readonly Moment[]> {
  const moments: Moment[] = [];
  // Whoever installs the agent makes its state directory.
  let nodes = nodesOf(new Map([[stateDirectory, undefined]]));
  let world: World = { round: 0, verified: 0, published: [] };
  for (let round = 1; round <= givingUp; round += 1) {
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
  const rig = await openRoundRig(options.rounds, {
    bootId,
    round: world.round,
    disk: await openNodeDisk(stateDirectory, options.spoil(calls)),
    stateDirectory,
    publish: async (document) => {
      note("a publish", calls.nodes);
      published.push(document);
      note("its acknowledgement", calls.nodes);
    },
    onVerified: (version) => void (verified = Math.max(verified, version)),
  });
  await rig.update();
  if (world.round === givingUp) await rig.reconciler.rollBack(2, "it keeps crashing");
  await rig.told();
  note("the end", calls.nodes);
  return moments;
}

/** Makes of what a cut left what the next boot of the disk makes of it: what was half-written is gone. */
export async function cleanNodes({ spoil }: LifeOptions, nodes: Nodes): Promise<Nodes> {
  const calls = createCrashDisk({ nodes });
  await openNodeDisk(stateDirectory, spoil(calls));
  return calls.nodes;
}

/** The real disk's algorithm over a copy of these nodes. */
export async function openModelDisk({ spoil }: LifeOptions, nodes: Nodes): Promise<Disk> {
  return openNodeDisk(stateDirectory, spoil(createCrashDisk({ nodes })));
}
