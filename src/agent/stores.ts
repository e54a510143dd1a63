// Opens everything the agent keeps on disk, each part in its own place of the state directory.
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Disk } from "../base/disk.ts";
import type { Log } from "../base/log.ts";
import { openTranspileCache, type TranspileCache } from "../runtime/cache.ts";
import { openComponentStore, type ComponentStore } from "../store/componentStore.ts";
import { openDownloads, type Downloads } from "../store/downloads.ts";
import { openDeploymentStore, type DeploymentStore } from "../store/deploymentStore.ts";
import { openOutbox } from "../store/outbox.ts";
import { openTelemetry, type Telemetry } from "../telemetry/readings.ts";
import type { DeploymentText } from "../protocol/deployment.ts";
import type { GatewayConfig } from "./config.ts";
import { openOperators, type OperatorsFile } from "./operators.ts";
import { openReportedFile, type ReportedFile } from "./reportedFile.ts";

export interface Stores {
  readonly store: ComponentStore;
  readonly downloads: Downloads;
  readonly deployments: DeploymentStore;
  readonly outbox: Awaited<ReturnType<typeof openOutbox>>;
  readonly telemetry: Telemetry;
  readonly operators: OperatorsFile;
  readonly reported: ReportedFile;
  readonly cache: TranspileCache;
}

export interface StoresOptions {
  readonly config: GatewayConfig;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
}

export async function openStores(directory: string, { config, disk, clock, log }: StoresOptions): Promise<Stores> {
  const at = (name: string): string => join(directory, name);
  const outbox = await openOutbox(disk, at("outbox"), { clock, log });
  const { gateway } = config;
  return {
    store: await openComponentStore(disk, at("components"), log),
    downloads: await openDownloads(disk, at("downloads")),
    deployments: await openDeploymentStore(disk, at("deployments"), { clock, log }),
    outbox,
    telemetry: await openTelemetry({ outbox, gateway, disk, directory: at("telemetry"), clock, log }),
    operators: await openOperators(disk, directory, log),
    reported: await openReportedFile(disk, directory, { clock, log }),
    cache: await openTranspileCache(at("transpiled"), clock),
  };
}

/** Keeps the bytes of the active and the previous set; the rest can be fetched again. */
export async function pruneStores({ deployments, store, cache, downloads }: Stores): Promise<void> {
  const { active, previous } = deployments.read();
  const keep = [active, previous].flatMap((set) => Object.values(set?.components ?? {}).map(({ sha256 }) => sha256));
  await store.prune(new Set(keep));
  await cache.prune(new Set(keep));
  await downloads.clear();
}

/** The committed deployment, when all of it is here: what is missing must be asked for again. */
export function findInstalled({
  deployments,
  store,
}: Pick<Stores, "deployments" | "store">): DeploymentText | undefined {
  const { active } = deployments.read();
  const isWhole = Object.values(active?.components ?? {}).every(({ sha256 }) => store.has(sha256));
  return isWhole ? active?.deployment : undefined;
}
