// Whether a deployment can run here at all, told before the first byte of it is fetched; pure, and sure when it says no.
import { limits } from "../base/limits.ts";
import type { Deployment } from "../protocol/deployment.ts";
import { refuse, type Refusal, type RuleId } from "../protocol/refusal.ts";
import type { Needs, VerifiedTarget } from "../protocol/release.ts";
import { listUnoffered } from "../runtime/interfaces.ts";

/** What is known of this gateway now. */
export interface GatewayFacts {
  readonly agent: string;
  readonly hardware: readonly string[];
  readonly freeDiskBytes: number;
  readonly memory: Memory;
  /** Components that run. */
  readonly running: number;
}

export interface Memory {
  readonly totalBytes: number;
  readonly availableBytes: number;
}

export interface WantedDelivery {
  readonly deployment: Deployment;
  readonly targets: readonly WantedTarget[];
}

export interface WantedTarget {
  readonly target: VerifiedTarget;
  /** The blob that would be fetched, without what the disk has set aside for it; undefined for what is in the store. */
  readonly blobBytes: number | undefined;
}

/** Refusals that stand until the deployment, the agent or the board is another one: trying again changes nothing. */
const lasting: ReadonlySet<RuleId> = new Set([
  "delivery.hardware",
  "delivery.agent",
  "delivery.world",
  "delivery.size",
]);

export function isLasting({ rule }: Refusal): boolean {
  return lasting.has(rule);
}

/** The first rule that stands in the way of any target, those that last first. */
export function refuseBeforeFetch(wanted: WantedDelivery, facts: GatewayFacts): Refusal | undefined {
  for (const { target } of wanted.targets) {
    const { needs } = target.release;
    const refusal = refuseSize(target) ?? (needs && refuseNeeds(target.path, needs, facts));
    if (refusal !== undefined) return refusal;
  }
  return refuseDisk(wanted, facts) ?? refuseMemory(wanted, facts);
}

function refuseSize({ path, lengthBytes }: VerifiedTarget): Refusal | undefined {
  if (lengthBytes <= limits.blob.componentMaxBytes) return undefined;
  const seen = `${path} has ${lengthBytes} bytes; this gateway accepts ${limits.blob.componentMaxBytes}.`;
  return refuse("delivery.size", seen, "Build a smaller component.");
}

function refuseNeeds(path: string, needs: Needs, { agent, hardware }: GatewayFacts): Refusal | undefined {
  if (needs.hardware.length > 0 && !needs.hardware.some((name) => hardware.includes(name))) {
    const own = hardware.length === 0 ? "names no hardware" : `is ${hardware.join(", ")}`;
    const seen = `${path} is for ${needs.hardware.join(", ")}; this gateway ${own}.`;
    const fix = 'Deploy a release for this hardware, or name what it is under "hardware" in the board file.';
    return refuse("delivery.hardware", seen, fix);
  }
  if (needs.agent !== undefined && compareVersions(needs.agent, agent) > 0) {
    const seen = `${path} needs outstationd ${needs.agent}; this is ${agent}.`;
    return refuse("delivery.agent", seen, "Update outstationd on the gateway, or deploy an older release.");
  }
  const unoffered = listUnoffered(needs.imports);
  if (unoffered.length === 0) return undefined;
  const seen = `${path} imports ${unoffered.join(", ")}, which outstationd ${agent} does not offer.`;
  return refuse(
    "delivery.world",
    seen,
    "Build it against the world outstation:gateway/imports, or update outstationd.",
  );
}

/** "1.10.0" is newer than "1.9.0"; what follows the three numbers does not count. */
function compareVersions(left: string, right: string): number {
  const numbersOf = (version: string): number[] => version.split(/[.+-]/, 3).map(Number);
  const [ours, theirs] = [numbersOf(left), numbersOf(right)];
  const differing = ours.findIndex((number, place) => number !== theirs[place]);
  return differing < 0 ? 0 : (ours[differing] ?? 0) - (theirs[differing] ?? 0);
}

/** Blobs come one after another, so the largest counts; components stay, as built and as transpiled. */
function refuseDisk({ targets }: WantedDelivery, { freeDiskBytes }: GatewayFacts): Refusal | undefined {
  const absent = targets.filter(({ blobBytes }) => blobBytes !== undefined);
  if (absent.length === 0) return undefined;
  const blobBytes = Math.max(...absent.map((entry) => entry.blobBytes ?? 0));
  const componentBytes = absent.reduce((sum, { target }) => sum + target.lengthBytes, 0);
  const transpiledBytes = Math.ceil(componentBytes * limits.blob.transpiledShare);
  const { diskReserveBytes } = limits.blob;
  const neededBytes = blobBytes + componentBytes + transpiledBytes + diskReserveBytes;
  if (neededBytes <= freeDiskBytes) return undefined;
  const parts = `${inMiB(blobBytes)} to download, ${inMiB(componentBytes)} of components, ${inMiB(transpiledBytes)} transpiled, ${inMiB(diskReserveBytes)} in reserve`;
  const seen = `It needs ${inMiB(neededBytes)} of disk (${parts}); ${inMiB(freeDiskBytes)} are free.`;
  return refuse("delivery.disk", seen, "Make room on the gateway's disk; it is tried again by itself.");
}

/**
 * A limit is a bound and no claim, so only what cannot be is refused: more memory asked for by name than the machine has,
 * or no room for the threads alone.
 */
function refuseMemory({ deployment }: WantedDelivery, { memory, running }: GatewayFacts): Refusal | undefined {
  const components = Object.values(deployment.components);
  const threadsBytes = components.length * limits.component.threadBytes;
  const askedBytes = components.reduce((sum, component) => sum + (component.limits.memory ?? 0), 0);
  if (askedBytes + threadsBytes > memory.totalBytes) {
    const seen = `Its limits.memory ask for ${inMiB(askedBytes)}, and its ${components.length} threads for ${inMiB(threadsBytes)}; the machine has ${inMiB(memory.totalBytes)}.`;
    return refuse("delivery.memory", seen, "Deploy with lower limits.memory, or fewer components.");
  }
  const newBytes = Math.max(0, components.length - running) * limits.component.threadBytes;
  if (newBytes <= memory.availableBytes) return undefined;
  const seen = `It needs ${inMiB(newBytes)} for threads alone; ${inMiB(memory.availableBytes)} of memory are available.`;
  return refuse("delivery.memory", seen, "End what else runs on the gateway; it is tried again by itself.");
}

function inMiB(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
