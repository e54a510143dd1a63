// Enumerates what power cuts and kills may leave of a gateway's life, boots over each state, and says what does not hold.
import { createHash } from "node:crypto";
import { nodesOf } from "./crashDisk.ts";
import { type Nodes, survivors, treeOf } from "./crashFiles.ts";
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

/** One life, cut at every operation; a process killed at every operation, and the power then cut; and cut again. */
export async function enumeratePowerCuts(options: EnumerationOptions): Promise<Enumeration> {
  const { again, mostPerCut } = options;
  const seen = new Set<string>();
  const violations: string[] = [];
  const life = await liveOnce(options);
  let cuts = 0;
  const visit = async (state: State, bootId: string): Promise<boolean> => {
    cuts += 1;
    if (isKnown(seen, state, mostPerCut)) return false;
    const openDisk = (): ReturnType<typeof openModelDisk> => openModelDisk(options, state.nodes);
    const check = { rounds: options.rounds, world: state.world, bootId, stateDirectory, openDisk, runningAt };
    const found = await checkBoot(check).catch((thrown: unknown) => [`${thrown}`]);
    violations.push(...found.map((violation) => `${state.cause}: ${violation}`));
    return true;
  };
  for (const moment of life)
    for await (const state of statesAt(options, moment)) {
      if (mostPerCut !== undefined && violations.length > 0) break;
      const isNew = await visit(state, "boot-again");
      if (!isNew || !again(state.cause)) continue;
      const second = await runOn(options, { ...state, bootId: "boot-again" }).catch(() => []);
      for (const later of second)
        for await (const next of cutsAt(options, later))
          await visit({ ...next, cause: `${state.cause}, ${next.cause}` }, "boot-at-last");
    }
  return { operations: life.length, cuts, states: seen.size, violations };
}

async function* statesAt(options: EnumerationOptions, moment: Moment): AsyncGenerator<State> {
  yield* cutsAt(options, moment);
  yield { ...moment, cause: `killed before "${moment.step}"` };
}

async function* cutsAt(options: EnumerationOptions, { step, nodes, world }: Moment): AsyncGenerator<State> {
  for (const tree of survivors(nodes, options.mostPerCut))
    yield { cause: `cut before "${step}"`, world, nodes: await cleanNodes(options, nodesOf(tree)) };
}

/** The same to whoever boots: the same files, with the same of them on the medium, and the same seen by the world. */
function isKnown(seen: Set<string>, { nodes, world }: State, most: number | undefined): boolean {
  const hash = createHash("sha256").update(JSON.stringify(world));
  for (const tree of [treeOf(nodes), ...survivors(nodes, most)])
    for (const [path, bytes] of tree) {
      const length = bytes === undefined ? -1 : bytes.length;
      hash.update(`${path}\0${length}\0`).update(bytes ?? new Uint8Array());
    }
  const digest = hash.digest("hex");
  if (seen.has(digest)) return true;
  seen.add(digest);
  return false;
}
