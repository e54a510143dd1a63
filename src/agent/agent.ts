// The only wiring: opens every part, joins them with plain functions, and closes them in the right order.
import { join } from "node:path";
import type { Board } from "../../devices/board.ts";
import type { Clock } from "../base/clock.ts";
import type { Disk } from "../base/disk.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { fetchBlob } from "../link/fetchBlob.ts";
import type { Link } from "../link/link.ts";
import { openLink } from "../link/openLink.ts";
import { createTopics } from "../protocol/topics.ts";
import { openTranspileCache } from "../runtime/cache.ts";
import { openComponentStore } from "../store/componentStore.ts";
import { openDeploymentStore } from "../store/deploymentStore.ts";
import { openOutbox } from "../store/outbox.ts";
import { openTelemetry } from "../telemetry/telemetry.ts";
import { createIndexedFetch } from "../trust/indexedFetch.ts";
import { refreshTrust } from "../trust/refresh.ts";
import { ComponentSet } from "./componentSet.ts";
import { openCommands } from "./commands.ts";
import type { GatewayConfig } from "./config.ts";
import { createCrashPolicy } from "./crashPolicy.ts";
import { deliver } from "./deliver.ts";
import { createExecutor } from "./executor.ts";
import { createLifeSigns } from "./lifeSigns.ts";
import { Reconciler } from "./reconcile.ts";
import { createReporter } from "./reporter.ts";
import { createVoices } from "./voice.ts";

export interface AgentOptions {
  readonly config: GatewayConfig;
  readonly stateDirectory: string;
  readonly password: string | undefined;
  readonly disk: Disk;
  readonly board: Board;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface Agent extends AsyncDisposable {
  /** Stops components, flushes readings, says goodbye to the broker. */
  stop(): Promise<void>;
}
