// The nine things the demo shows, each with what counts as expected; a step returns its figure or throws.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { boilerDeployment, ungrantedDeployment } from "./parts/deployment.ts";
import { withCrash, withDeviation } from "./parts/edits.ts";
import { createForger } from "./parts/forger.ts";
import { gateway, type World } from "./parts/world.ts";

/** Figures that the benchmark takes from the same run. */
export interface Figures {
  deployToFirstReadingMs: number;
  deltaBytes: number;
  fullBytes: number;
  rollBackMs: number;
}

export interface Step {
  readonly title: string;
  run(world: World, figures: Partial<Figures>): Promise<string>;
}

const stream = "boiler/temperature";

const comeOnline: Step = {
  title: "the gateway comes online with nothing deployed",
  run: async ({ observer }) => {
    await observer.until("the birth message", () => observer.state?.online === true);
    expect(observer.state?.components.length === 0, "no component runs");
    return `agent ${observer.state?.agent}, boot ${observer.state?.bootId.slice(0, 8)}`;
  },
};

const firstDeployment: Step = {
  title: "boiler@1.0.0 is built, released, deployed, verified, admitted and running",
  run: async (world, figures) => {
    const { observer } = world;
    const { lengthBytes } = await world.release("1.0.0");
    const file = join(world.directory, "pump-7.json");
    await writeFile(file, JSON.stringify(boilerDeployment(world.udpPort), undefined, 2));
    const started = performance.now();
    const reading = observer.until("the first reading", () => observer.tally(stream).contiguous > 0);
    const deployed = world.outstation(["deploy", gateway, file]);
    await reading;
    figures.deployToFirstReadingMs = performance.now() - started;
    await deployed;
    return `${lengthBytes} bytes; ${seconds(figures.deployToFirstReadingMs)} from deploy to first reading`;
  },
};

const readings: Step = {
  title: "readings arrive with sequence numbers, a datagram reaches the listener",
  run: async ({ observer, datagrams }) => {
    const before = observer.tally(stream).contiguous;
    await observer.until("ten more readings", () => observer.tally(stream).contiguous >= before + 10);
    const { contiguous, lost, last } = observer.tally(stream);
    expect(lost === 0, "no reading is missing");
    expect(datagrams.length > 0 && datagrams[0]?.startsWith("sample ") === true, "a datagram came");
    return `seq 1 to ${contiguous}, last ${String(last?.value)} Cel; ${datagrams.length} datagrams`;
  },
};

const commandRelay: Step = {
  title: "a signed command switches the relay and gets one answer",
  run: async (world) => {
    const started = performance.now();
    const { stdout } = await world.outstation(["command", gateway, "boiler", "relay", '{"on":true}', "--json"]);
    const took = performance.now() - started;
    const answer = JSON.parse(stdout) as { status: string; result: { relay: boolean } };
    expect(answer.status === "succeeded" && answer.result.relay, "the component says that the relay is on");
    const switched = (await world.trace()).filter(({ port, level }) => port === "relay" && level === true);
    expect(switched.length === 1, "the board saw the relay go on once");
    return `answered in ${seconds(took)}, command line included; the board's trace shows the relay on`;
  },
};

const deltaUpdate: Step = {
  title: "boiler@1.1.0, three changed lines, goes out as a delta",
  run: async (world, figures) => {
    const { observer, gate } = world;
    const { lengthBytes } = await world.release("1.1.0", withDeviation);
    const bytesBefore = gate.toGatewayBytes;
    const running = observer.until("its first reading", () => observer.tally("boiler/deviation").contiguous > 0);
    const deployed = world.outstation(["deploy", gateway, "--release", "boiler=boiler@1.1.0"]);
    await running;
    figures.deltaBytes = gate.toGatewayBytes - bytesBefore;
    figures.fullBytes = lengthBytes;
    await deployed;
    const { lost, unlabelledDuplicates, contiguous } = observer.tally(stream);
    expect(lost === 0 && unlabelledDuplicates === 0, "no reading is lost across the switch");
    expect(figures.deltaBytes < lengthBytes / 20, "the delta is less than a twentieth of the component");
    const share = ((100 * figures.deltaBytes) / lengthBytes).toFixed(2);
    return `${figures.deltaBytes} bytes of ${lengthBytes} (${share} %), metadata included; seq unbroken to ${contiguous}`;
  },
};

const rollBack: Step = {
  title: "boiler@2.0.0 crashes on start and is rolled back by itself",
  run: async (world, figures) => {
    const { observer } = world;
    await world.release("2.0.0", withCrash);
    const trial = observer.until("the trial", () => observer.reported?.phase === "trial").then(() => performance.now());
    const deployed = world.outstation(["deploy", gateway, "--release", "boiler=boiler@2.0.0"], 1);
    const started = await trial;
    await observer.until("the rollback", () => observer.reported?.phase === "rolled-back");
    figures.rollBackMs = performance.now() - started;
    await deployed;
    const { reason, components } = observer.reported ?? {};
    expect(reason?.includes("the burner table is missing") === true, "the reason is in `reported`");
    expect(components?.["boiler"]?.release === "boiler@1.1.0", "boiler@1.1.0 runs again");
    const before = observer.tally(stream).contiguous;
    await observer.until("readings of the old release", () => observer.tally(stream).contiguous > before + 2);
    return `back after ${seconds(figures.rollBackMs)}; reason: ${reason?.slice(0, 96)}…`;
  },
};

const forgeries: Step = {
  title: "a wrong key, a tampered chunk and a replay are refused",
  run: async (world) => {
    const forger = await createForger(world);
    const rules = [
      await forger.releaseWithWrongKey(),
      await forger.tamperWithChunk(),
      await forger.replayOldMetadata(),
    ];
    await forger.restore();
    const expected = ["trust.signature", "delivery.hash", "trust.rollback"];
    expect(
      JSON.stringify(rules) === JSON.stringify(expected),
      `the rules are ${expected.join(", ")}; they were ${rules.join(", ")}`,
    );
    return `refused by ${rules.join(", ")}; boiler@1.1.0 ran on`;
  },
};

const ungranted: Step = {
  title: "a component that imports a serial port it was not granted is refused before it runs",
  run: async (world) => {
    const { observer } = world;
    const file = join(world.directory, "ungranted.json");
    await writeFile(file, JSON.stringify(ungrantedDeployment(), undefined, 2));
    const { stdout } = await world.outstation(["deploy", gateway, file, "--json"], 1);
    const { phase, refusal } = JSON.parse(stdout) as { phase: string; refusal?: { rule: string; fix: string } };
    expect(phase === "refused" && refusal?.rule === "admission.grant", "the rule is admission.grant");
    const runs = observer.reported?.components["boiler"];
    expect(runs?.status === "running" && runs.restarts === 0, "what ran before runs on, undisturbed");
    return `${refusal?.rule}. Fix: ${refusal?.fix}`;
  },
};

const cutOff: Step = {
  title: "the broker is cut off for five seconds; every reading arrives afterwards",
  run: async ({ observer, gate }) => {
    const before = observer.tally(stream).contiguous;
    gate.shut();
    await new Promise((resolve) => setTimeout(resolve, 5000));
    const during = observer.tally(stream).contiguous;
    gate.open();
    await observer.until("the readings of the outage", () => observer.tally(stream).contiguous >= during + 20);
    const { lost, unlabelledDuplicates, labelledDuplicates, contiguous } = observer.tally(stream);
    expect(lost === 0, `no reading is lost (lost ${lost})`);
    expect(unlabelledDuplicates === 0, `no reading comes twice unmarked (${unlabelledDuplicates} did)`);
    return `seq ${before} to ${contiguous}: lost 0, duplicated 0 (${labelledDuplicates} marked as sent again)`;
  },
};

export const steps: readonly Step[] = [
  comeOnline,
  firstDeployment,
  readings,
  commandRelay,
  deltaUpdate,
  rollBack,
  forgeries,
  ungranted,
  cutOff,
];

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`not as expected: ${what}`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
