// What must hold of a gateway that boots after whatever happened to it, given what the world outside had seen by then.
import type { Disk } from "../../src/base/disk.ts";
import { isRefusal } from "../../src/protocol/refusal.ts";
import type { EventDocument, ReportedDocument } from "../../src/protocol/reports.ts";
import { crashing, gateway, type UpdateRounds } from "./roundsFile.ts";
import { openUpdateRig, type UpdateRig, type UpdateRigOptions } from "./updateRig.ts";

/** What the world outside the gateway has seen. */
export interface World {
  /** The deployment that is published. */
  readonly round: number;
  /** The highest deployment that was verified and acted on. */
  readonly verified: number;
  readonly published: readonly (EventDocument | ReportedDocument)[];
}

export interface BootCheck {
  readonly rounds: UpdateRounds;
  readonly world: World;
  readonly bootId: string;
  readonly stateDirectory: string;
  /** Each time the same: the disk as this boot finds it. */
  readonly openDisk: () => Promise<Disk>;
  /** The sha-256 of the one component that runs when this version is committed; undefined when nothing does. */
  readonly runningAt: (version: number) => string | undefined;
}

/** Versions that run after each round, and what is told of it: the third deployment fails; then the second does too. */
const committed = [0, 1, 2, 2, 1];
const outcomes = ["", "deployment 1 is", "deployment 2 is", "deployment 3 failed", "deployment 2 failed"];
/** No deployment of its own: what is committed keeps crashing, and is given up if the gateway comes to that. */
export const givingUp = 4;

/** One line for each thing that does not hold. */
export async function checkBoot(check: BootCheck): Promise<readonly string[]> {
  const { rounds, world, stateDirectory, bootId, openDisk, runningAt } = check;
  const { round, verified } = world;
  const violations: string[] = [];
  const open = async (settings: Partial<RoundSettings> = {}): Promise<UpdateRig> =>
    openRoundRig(rounds, { disk: await openDisk(), stateDirectory, round, bootId, ...settings });
  const offline = await open();
  await offline.reconciler.runCommitted();
  const isTold = outcomesOf(world.published).some((detail) => detail.startsWith(outcomes[round] ?? ""));
  const after = round === givingUp && !isTold ? offline.version : (committed[round] ?? 0);
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
  return [...violations, ...checkReports(published, round === givingUp && after === 2 ? round - 1 : round)];
}

/** Each deployment has one outcome: told, and never a second or another one. Told again, it is the same to the byte. */
function checkReports(published: World["published"], round: number): readonly string[] {
  const told = outcomesOf(published).map((detail) => detail.replace(/ (is|failed).*/s, " $1"));
  const expected = outcomes.slice(1, round + 1).sort();
  const last = published.filter((document) => "phase" in document).at(-1);
  const end = `${last?.deployment} ${last?.desired} ${last?.phase}`;
  const ends =
    [[], ["1 1 committed"], ["2 2 committed"], ["2 3 rolled-back", "2 3 refused"], ["1 3 refused"]][round] ?? [];
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

export interface RoundSettings extends Pick<UpdateRigOptions, "disk" | "stateDirectory" | "bootId" | "onVerified"> {
  /** Whose deployment the broker shows. */
  readonly round: number;
  readonly publish?: UpdateRigOptions["publish"];
}

/** The gateway of the rounds, before it boots. */
export function openRoundRig(rounds: UpdateRounds, { round, ...settings }: RoundSettings): Promise<UpdateRig> {
  const { factory, nowMs, brokers } = rounds;
  const broker = brokers[Math.min(round, brokers.length) - 1];
  const fetch = async (topic: string): Promise<Uint8Array | undefined> => broker?.get(topic);
  return openUpdateRig({ factory, gateway, nowMs, crashing, fetch, publish: async () => {}, ...settings });
}
