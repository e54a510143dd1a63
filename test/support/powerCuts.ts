// Enumerates what power cuts and kills may leave of a gateway's life, boots over each state, and says what does not hold.
import { createHash } from "node:crypto";
import { nodesOf } from "./crashDisk.ts";
import { type Nodes, survivors, type Tree, treeOf } from "./crashFiles.ts";
import { checkBoot, type World } from "./checkBoot.ts";
import {
  cleanNodes,
  type LifeOptions,
  liveOnce,
  type Moment,
  openModelDisk,
  runOn,
  stateDirectory,
} from "./updateLife.ts";
import { runningAt } from "./updateRounds.ts";

export interface Enumeration {
  readonly operations: number;
  readonly cuts: number;
  /** Different ones, each of which was booted over. */
  readonly states: number;
  /** One line for each state in which something does not hold. */
  readonly violations: readonly string[];
}

export interface EnumerationOptions extends LifeOptions {
  /** Whether a second cut comes at every operation of what follows the state that this left. */
  readonly again: (cause: string) => boolean;
  /** A broken disk leaves more states than can be tried: this many of each cut, until something does not hold. */
  readonly mostPerCut?: number;
}

interface State {
  readonly cause: string;
  readonly nodes: Nodes;
  readonly world: World;
}

interface Tried {
  cuts: number;
  /** What the cuts left, and what that is once the disk was opened. */
  readonly left: Set<string>;
  readonly states: Set<string>;
}

/** One life, cut at every operation; a process killed at every operation, and the power then cut; and cut again. */
export async function enumeratePowerCuts(options: EnumerationOptions): Promise<Enumeration> {
  const { again, mostPerCut } = options;
  const tried: Tried = { cuts: 0, left: new Set(), states: new Set() };
  const violations: string[] = [];
  const visit = async (state: State, bootId: string): Promise<boolean> => {
    const trees = [treeOf(state.nodes), ...survivors(state.nodes, mostPerCut)];
    if (isKnown(tried.states, trees, state.world)) return false;
    const openDisk = (): ReturnType<typeof openModelDisk> => openModelDisk(options, state.nodes);
    const check = { rounds: options.rounds, world: state.world, bootId, stateDirectory, openDisk, runningAt };
    const found = await checkBoot(check).catch((thrown: unknown) => [`${thrown}`]);
    violations.push(...found.map((violation) => `${state.cause}: ${violation}`));
    return true;
  };
  const life = await liveOnce(options);
  for (const moment of life)
    for await (const state of statesAt(options, moment, tried)) {
      if (mostPerCut !== undefined && violations.length > 0) break;
      const isNew = await visit(state, "boot-again");
      if (!isNew || !again(state.cause)) continue;
      // A boot that fails has just been found by the visit.
      const second = await runOn(options, { ...state, bootId: "boot-again" }).catch(() => []);
      for (const later of second)
        for await (const next of cutsAt(options, later, tried))
          await visit({ ...next, cause: `${state.cause}, ${next.cause}` }, "boot-at-last");
    }
  return { operations: life.length, cuts: tried.cuts, states: tried.states.size, violations };
}

async function* statesAt(options: EnumerationOptions, moment: Moment, tried: Tried): AsyncGenerator<State> {
  yield* cutsAt(options, moment, tried);
  yield { ...moment, cause: `killed before "${moment.step}"` };
}

/** Those that nothing was yet seen like. */
async function* cutsAt(options: EnumerationOptions, moment: Moment, tried: Tried): AsyncGenerator<State> {
  const { step, nodes, world } = moment;
  for (const tree of survivors(nodes, options.mostPerCut)) {
    tried.cuts += 1;
    if (isKnown(tried.left, [tree], world)) continue;
    yield { cause: `cut before "${step}"`, world, nodes: await cleanNodes(options, nodesOf(tree)) };
  }
}

/** The same to whoever boots: the same files, with the same of them on the medium, and the same seen by the world. */
function isKnown(seen: Set<string>, trees: readonly Tree[], world: World): boolean {
  const hash = createHash("sha256").update(JSON.stringify(world));
  for (const tree of trees)
    for (const [path, bytes] of tree) {
      const length = bytes === undefined ? -1 : bytes.length;
      hash.update(`${path}\0${length}\0`).update(bytes ?? new Uint8Array());
    }
  const digest = hash.digest("hex");
  const isKnown = seen.has(digest);
  seen.add(digest);
  return isKnown;
}
