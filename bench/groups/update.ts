// Figures of an update of three lines, and of a look with nothing new: bytes at the gateway's socket, both directions.
import { withDeviation } from "../../demo/parts/edits.ts";
import { gateway } from "../../demo/parts/world.ts";
import { buildExample } from "../../examples/build.ts";
import type { Figure } from "../figure.ts";
import type { Packet } from "../parts/packets.ts";
import { buildWithStarlingMonkey } from "../parts/starlingMonkey.ts";
import { describeTally, listPackets, sumBytes, tally } from "../parts/tally.ts";
import { createUpdateWorld, type UpdateWorld } from "../parts/updateWorld.ts";

type Progress = (text: string) => void;

interface Engine {
  readonly name: string;
  readonly reach: number;
  build(): Promise<readonly Uint8Array[]>;
}

const unchanged = (source: string): string => source;

const engines: readonly Engine[] = [
  {
    name: "QuickJS",
    reach: 0.015,
    build: async () => [await buildExample("boiler"), await buildExample("boiler", withDeviation)],
  },
  { name: "StarlingMonkey", reach: 0.005, build: () => buildWithStarlingMonkey("boiler", [unchanged, withDeviation]) },
];

export async function measureUpdates(progress: Progress): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const polls: Figure[] = [];
  for (const engine of engines) {
    progress(`building two versions of the boiler with ${engine.name}`);
    const versions = await engine.build();
    await using rig = await createUpdateWorld();
    figures.push(await measureUpdate(rig, { engine, versions, progress }));
    if (polls.length === 0) polls.push(...(await measurePolls(rig, progress)));
  }
  return [...figures, ...polls];
}

interface UpdateRun {
  readonly engine: Engine;
  readonly versions: readonly Uint8Array[];
  readonly progress: Progress;
}

async function measureUpdate(rig: UpdateWorld, { engine, versions, progress }: UpdateRun): Promise<Figure> {
  const [before = new Uint8Array(), after = new Uint8Array()] = versions;
  await rig.release("1.0.0", before);
  await rig.deployFirst();
  const fullBytes = await rig.release("1.1.0", after);
  const packets = await rig.watch(async () => {
    await rig.world.outstation(["deploy", gateway, "--release", "boiler=boiler@1.1.0"]);
  });
  const update = untilStored(packets);
  const bytes = sumBytes(update);
  progress(`${engine.name}, until it is in the store:\n${listPackets(update)}`);
  progress(`${describeTally(tally(update))}; until it is committed, ${sumBytes(packets)} B`);
  return {
    figure: `update of three lines, ${engine.name}, ${megabytes(after.length)}, all metadata: ${describeTally(tally(update))}`,
    value: bytes,
    unit: "B",
    against: `zstd level 19 of it, ${fullBytes} B`,
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
      figure: `${what}: ${describeTally(tally(packets))}`,
      value: bytes,
      unit: "B",
      reach: "≤ 500 B",
      met: bytes <= 500,
    },
    {
      figure: "messages received and requests sent for it",
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
