// Figures of an update of three lines, and of a look with nothing new: bytes at the gateway's socket, both directions.
import { withDeviation } from "../../demo/parts/edits.ts";
import { gateway } from "../../demo/parts/world.ts";
import { buildExample } from "../../examples/build.ts";
import type { Figure } from "../figure.ts";
import { withCorrection } from "../parts/edits.ts";
import type { Packet } from "../parts/packets.ts";
import { buildWithStarlingMonkey } from "../parts/starlingMonkey.ts";
import { listPackets, sumBytes, tally } from "../parts/tally.ts";
import { createUpdateWorld, type UpdateWorld } from "../parts/updateWorld.ts";

type Progress = (text: string) => void;

interface Engine {
  readonly name: string;
  readonly reach: number;
  build(edits: readonly Edit[]): Promise<readonly Uint8Array[]>;
}

type Edit = (source: string) => string;

/** Each release is the one before it with one more edit; the first is installed whole. */
const updates: readonly { readonly what: string; readonly edit: Edit }[] = [
  { what: "three changed lines", edit: withCorrection },
  { what: "three lines of new logic", edit: (source) => withDeviation(withCorrection(source)) },
];

const engines: readonly Engine[] = [
  {
    name: "QuickJS",
    reach: 0.015,
    build: (edits) => Promise.all(edits.map((edit) => buildExample("boiler", edit))),
  },
  { name: "StarlingMonkey", reach: 0.005, build: (edits) => buildWithStarlingMonkey("boiler", edits) },
];

export async function measureUpdates(progress: Progress): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const polls: Figure[] = [];
  for (const engine of engines) {
    progress(`building the boiler with ${engine.name}`);
    const [first = new Uint8Array(), ...next] = await engine.build([(source) => source, ...updates.map((u) => u.edit)]);
    await using rig = await createUpdateWorld();
    await rig.release("1.0.0", first);
    await rig.deployFirst();
    for (const [index, { what }] of updates.entries()) {
      const update = { engine, what, version: `1.${index + 1}.0`, component: next[index] ?? new Uint8Array() };
      figures.push(await measureUpdate(rig, update, progress));
    }
    // It runs, not only lies there.
    await rig.world.outstation(["command", gateway, "boiler", "relay", '{"on":true}']);
    if (polls.length === 0) polls.push(...(await measurePolls(rig, progress)));
  }
  return [...figures, ...polls];
}

interface Update {
  readonly engine: Engine;
  readonly what: string;
  readonly version: string;
  readonly component: Uint8Array;
}

async function measureUpdate(rig: UpdateWorld, update: Update, progress: Progress): Promise<Figure> {
  const { engine, what, version, component } = update;
  const fullBytes = await rig.release(version, component);
  const packets = await rig.watch(async () => {
    await rig.world.outstation(["deploy", gateway, "--release", `boiler=boiler@${version}`]);
  });
  const stored = untilStored(packets);
  const bytes = sumBytes(stored);
  const parts = Object.fromEntries(tally(stored));
  progress(`${engine.name}, ${what}, until it is in the store:\n${listPackets(stored)}`);
  progress(`until it is committed, ${sumBytes(packets)} B`);
  return {
    figure: `update of ${what}, ${engine.name}`,
    value: bytes,
    unit: "B",
    parts,
    against: `zstd level 19 of its ${megabytes(component.length)}, ${fullBytes} B`,
    ratio: bytes / fullBytes,
    reach: `≤ ${engine.reach * 100} %`,
    met: bytes / fullBytes <= engine.reach,
  };
}

/** What came before the first report that is about more than fetching: it is told only when the store has everything. */
function untilStored(packets: readonly Packet[]): readonly Packet[] {
  const end = packets.findIndex(({ topic, payload }) => {
    if (topic?.endsWith("/out/reported") !== true) return false;
    return (JSON.parse(Buffer.from(payload).toString()) as { phase: string }).phase !== "fetching";
  });
  if (end < 0) throw new Error("the gateway never reported that it had everything");
  return packets.slice(0, end);
}

async function measurePolls(rig: UpdateWorld, progress: Progress): Promise<readonly Figure[]> {
  const look = await rig.watch(() => rig.nudge());
  const reconnect = await rig.watch(async () => {
    rig.world.gate.shut();
    rig.world.gate.open();
    const { observer } = rig.world;
    await observer.until("the gateway to leave", () => observer.state?.online === false);
    await observer.until("the gateway to come back", () => observer.state?.online === true);
  });
  const connected = reconnect.filter(({ type }) => type !== "CONNECT" && type !== "CONNACK");
  return [
    ...describePoll("a look with nothing new", look, progress),
    ...describePoll("a reconnect with nothing new, beyond CONNECT and CONNACK", connected, progress),
  ];
}

function describePoll(what: string, packets: readonly Packet[], progress: Progress): readonly Figure[] {
  progress(`${what}:\n${listPackets(packets)}`);
  const bytes = sumBytes(packets);
  const messages = packets.filter(isForTrust).length;
  return [
    {
      figure: what,
      value: bytes,
      unit: "B",
      parts: Object.fromEntries(tally(packets)),
      reach: "≤ 500 B",
      met: bytes <= 500,
    },
    {
      figure: `${what}: messages received, requests sent`,
      value: messages,
      unit: "",
      reach: "≤ 2",
      met: messages <= 2,
    },
  ];
}

/** A message that came, or a request of one topic; what makes standing subscriptions again is the connect itself. */
function isForTrust({ direction, type, topic = "" }: Packet): boolean {
  if (direction === "in") return type === "PUBLISH";
  return type === "SUBSCRIBE" && /\/(image|director)\//.test(topic);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
