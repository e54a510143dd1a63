// The operator's directory: settings, keys, both repositories and the releases; all that is published is made from it.
import { join } from "node:path";
import * as v from "valibot";
import type { Clock } from "../base/clock.ts";
import { DocumentError, parseDocument } from "../protocol/document.ts";
import { OperatorError } from "./error.ts";
import { defaultExpiries } from "./expiries.ts";
import type { Expiries } from "./expiries.ts";
import { isPresent, readBytesIfPresent, writeFileAtomic } from "./files.ts";
import { createKey, loadKey } from "./keys/key.ts";
import type { SigningKey } from "./keys/key.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(9));

const settingsSchema = v.strictObject({
  format: v.literal(1),
  /** URL of the broker. */
  broker: v.string(),
  /** First part of every topic. */
  root: v.string(),
  created: v.string(),
  /** Keys are in the clear; never for gateways in the field. */
  dev: v.boolean(),
  /** How many root keys there are, and how many of them must sign. */
  rootKeys: count,
  rootThreshold: count,
});
export type WorkspaceSettings = v.InferOutput<typeof settingsSchema>;

/** What each key signs is decided by the repositories; `operator` signs commands. */
export const keyNames = ["targets", "snapshot", "timestamp", "director-root", "director", "operator"] as const;
export type KeyName = (typeof keyNames)[number] | `root-${number}`;

export interface Workspace {
  readonly directory: string;
  readonly settings: WorkspaceSettings;
  readonly clock: Clock;
  readonly expiries: Expiries;
  loadKey(name: KeyName): Promise<SigningKey>;
}

export interface OpenOptions {
  readonly clock: Clock;
  readonly passphrase?: string;
  readonly expiries?: Expiries;
}

export interface WorkspaceOptions extends OpenOptions {
  readonly broker: string;
  readonly root: string;
  /** Leaves the keys in the clear; otherwise `passphrase` is needed. */
  readonly dev?: boolean;
  readonly thresholds?: { readonly rootKeys: number; readonly root: number };
}

/** Makes settings and keys in `directory`; refuses one that is a workspace already. Repositories are made after it. */
export async function initWorkspace(directory: string, options: WorkspaceOptions): Promise<Workspace> {
  if (await isPresent(settingsPath(directory)))
    throw new OperatorError("workspace-exists", `${directory} is a workspace already. Choose another directory.`);
  const { broker, root, clock, dev = false, passphrase, thresholds = { rootKeys: 3, root: 2 } } = options;
  if (!dev && (passphrase === undefined || passphrase === ""))
    throw new OperatorError(
      "workspace-invalid",
      "The keys need a passphrase: set OUTSTATION_PASSPHRASE or give --passphrase-file. To try things, use --dev.",
    );
  if (thresholds.root > thresholds.rootKeys)
    throw new OperatorError(
      "workspace-invalid",
      `${thresholds.root} of ${thresholds.rootKeys} root keys can never sign. Lower the threshold.`,
    );
  const settings: WorkspaceSettings = {
    format: 1,
    broker,
    root,
    created: new Date(clock.nowMs()).toISOString(),
    dev,
    rootKeys: thresholds.rootKeys,
    rootThreshold: thresholds.root,
  };
  const secret = dev ? undefined : passphrase;
  for (const name of [...rootKeyNames(settings), ...keyNames]) await createKey(keyPath(directory, name), secret);
  // Last, so that an interrupted init is not taken for a workspace.
  await writeFileAtomic(settingsPath(directory), `${JSON.stringify(settings, undefined, 2)}\n`);
  return createWorkspace(directory, settings, options);
}

/** Opens an existing workspace; keys are read, and the passphrase needed, only when something is signed. */
export async function openWorkspace(directory: string, options: OpenOptions): Promise<Workspace> {
  const bytes = await readBytesIfPresent(settingsPath(directory));
  if (bytes === undefined)
    throw new OperatorError("workspace-missing", `${directory} is no workspace. Make one with: outstation init`);
  try {
    const settings = parseDocument(settingsSchema, bytes, { what: settingsPath(directory) });
    return createWorkspace(directory, settings, options);
  } catch (cause) {
    if (cause instanceof DocumentError) throw new OperatorError("workspace-invalid", cause.message, { cause });
    throw cause;
  }
}

export function rootKeyNames(settings: WorkspaceSettings): readonly KeyName[] {
  return Array.from({ length: settings.rootKeys }, (_, index): KeyName => `root-${index + 1}`);
}

export function keyPath(directory: string, name: KeyName): string {
  return join(directory, "keys", `${name}.pem`);
}

function createWorkspace(directory: string, settings: WorkspaceSettings, options: OpenOptions): Workspace {
  return {
    directory,
    settings,
    clock: options.clock,
    expiries: options.expiries ?? defaultExpiries,
    loadKey: (name) => loadKey(keyPath(directory, name), settings.dev ? undefined : options.passphrase),
  };
}

function settingsPath(directory: string): string {
  return join(directory, "outstation.json");
}
