// Figures of a fleet of 10,000 directors: how long they are, and how long one core signs them.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { boilerDeployment } from "../../demo/parts/deployment.ts";
import { systemClock } from "../../src/base/clock.ts";
import { deployComponents } from "../../src/operator/deployComponents.ts";
import { addRelease } from "../../src/operator/repository/addRelease.ts";
import { createRepositories } from "../../src/operator/repository/create.ts";
import {
  createDirectorRound,
  loadDirectorSources,
  type DirectorSources,
} from "../../src/operator/repository/director.ts";
import { loadRepository } from "../../src/operator/repository/repository.ts";
import { initWorkspace, type Workspace } from "../../src/operator/workspace.ts";
import type { DeploymentText } from "../../src/protocol/deployment.ts";
import { packFile } from "../../src/protocol/packing.ts";
import type { Figure } from "../figure.ts";

const gateways = 10_000;
/** Written and synced one after the other; a fleet takes as much longer as it is larger. */
const writtenGateways = 200;
const runs = 3;

export async function measureDirectors(progress: (text: string) => void): Promise<readonly Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), "outstation-bench-"));
  try {
    const workspace = await createFleet(directory);
    const sources = await loadDirectorSources(workspace);
    const lengths = await measureLengths(workspace, sources);
    const seconds: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      seconds.push(await signAll(workspace, sources));
      progress(`${gateways} directors signed in ${seconds.at(-1)?.toFixed(2)} s of one core`);
    }
    const writtenMs = await measureWritten(workspace, sources);
    const signed = seconds.sort((a, b) => a - b)[runs >> 1] ?? NaN;
    return [
      {
        figure: `a director's timestamp, snapshot and targets as published; ${lengths.unpacked} B unpacked`,
        value: lengths.packed,
        unit: "B",
        reach: "≤ 1500 B",
        met: lengths.packed <= 1500,
      },
      {
        figure: `signing ${gateways} directors in memory, processor time`,
        value: signed,
        unit: "s",
        reach: "≤ 5 s",
        met: signed <= 5,
      },
      { figure: "one more deployment read, signed and synced to the disk", value: writtenMs, unit: "ms a gateway" },
    ];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const { components } = boilerDeployment(5005) as Pick<DeploymentText, "components">;
const needs = { hardware: [], imports: ["outstation:gateway/serial@0.1.0"], exports: [] };

async function createFleet(directory: string): Promise<Workspace> {
  const options = { broker: "mqtt://127.0.0.1:1883", root: "outstation/v1", dev: true, clock: systemClock };
  const workspace = await initWorkspace(join(directory, "fleet"), options);
  await createRepositories(workspace);
  await addRelease(workspace, { component: "boiler", version: "1.0.0", wasmBytes: new Uint8Array(1000), needs });
  return workspace;
}

function createDirector(workspace: Workspace, sources: DirectorSources, gateway: string) {
  const deployment: DeploymentText = { version: 17, gateway, components };
  return createDirectorRound(workspace, { state: before, deployment }, sources);
}

/** Of a directory that is not there: nothing was signed before. */
const before = await loadRepository(join(tmpdir(), "outstation-no-such-directory"));

async function measureLengths(workspace: Workspace, sources: DirectorSources) {
  const { files, timestamp } = await createDirector(workspace, sources, "gateway-04711");
  const metadata = [...files].filter(([name]) => /\.(targets|snapshot)\.json$/.test(name)).map(([, bytes]) => bytes);
  const all = [...metadata, timestamp];
  const hint = { root: 1, snapshot: 17, oldestBase: 15 };
  const packed = await Promise.all(all.map((bytes) => packFile(bytes, hint)));
  const sum = (parts: readonly Uint8Array[]): number => parts.reduce((bytes, part) => bytes + part.length, 0);
  return { packed: sum(packed), unpacked: sum(all) };
}

/** Checks each deployment and signs its documents, targets, snapshot and timestamp; all threads of the process count. */
async function signAll(workspace: Workspace, sources: DirectorSources): Promise<number> {
  const started = process.cpuUsage();
  for (let index = 0; index < gateways; index += 1) await createDirector(workspace, sources, nameOf(index));
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1e6;
}

/** As `outstation deploy` does it, with what is common to all read once. */
async function measureWritten(workspace: Workspace, sources: DirectorSources): Promise<number> {
  const text = new TextEncoder().encode(JSON.stringify({ components }));
  const deployAll = async (): Promise<void> => {
    for (let index = 0; index < writtenGateways; index += 1)
      await deployComponents(workspace, nameOf(index), { kind: "document", text, source: "bench" }, sources);
  };
  // The first makes the directors.
  await deployAll();
  const started = performance.now();
  await deployAll();
  return (performance.now() - started) / writtenGateways;
}

function nameOf(index: number): string {
  return `gateway-${String(index).padStart(5, "0")}`;
}
