// The operator's directory: settings, keys, both repositories and the releases; all that is published is made from it.
import { join } from "node:path";
import * as v from "valibot";
import type { Clock } from "../base/clock.ts";
import { DocumentError, parseDocument } from "../protocol/document.ts";
import { OperatorError } from "./error.ts";
import { defaultExpiries } from "./expiries.ts";
import type { Expiries } from "./expiries.ts";
import { isPresent, readBytesIfPresent, writeFileAtomic } from "./files.ts";
import { createKey } from "./keys/key.ts";
import type { SigningKey } from "./keys/key.ts";
import { findKey, openKeyNamed } from "./keys/keyring.ts";
import type { Secrets } from "./keys/keyring.ts";
import { formatPublicKey, publicSuffix } from "./keys/publicKeyFile.ts";

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
  /** How many keys of a role there were at first, and how many of them had to sign; the roots say how it is now. */
  rootKeys: count,
  rootThreshold: count,
  targetsKeys: v.optional(count, 1),
  targetsThreshold: v.optional(count, 1),
  directorRootKeys: v.optional(count, 1),
  directorRootThreshold: v.optional(count, 1),
});
export type WorkspaceSettings = v.InferOutput<typeof settingsSchema>;

/** Keys of a new fleet; which key signs what is decided by the roots from then on. */
export type KeyName = "snapshot" | "timestamp" | "director" | "operator" | NumberedName;
type NumberedName = NumberedRole | `${NumberedRole}-${number}`;
type NumberedRole = "root" | "targets" | "director-root";

export interface Workspace {
  readonly directory: string;
  readonly settings: WorkspaceSettings;
  readonly clock: Clock;
  readonly expiries: Expiries;
  readonly secrets: Secrets;
  loadKey(name: KeyName): Promise<SigningKey>;
  /** The key with that id; undefined when it is not in this workspace. */
  findKey(keyId: string): Promise<SigningKey | undefined>;
}

export interface OpenOptions {
  readonly clock: Clock;
  readonly passphrase?: string;
  /** Of a key that has one of its own. */
  readonly passphraseOf?: (name: string) => string | undefined;
  /** Of PKCS#11 tokens. */
  readonly pin?: string;
  readonly expiries?: Expiries;
}

export interface WorkspaceOptions extends OpenOptions {
  readonly broker: string;
  readonly root: string;
  /** Leaves the keys in the clear; otherwise `passphrase` is needed. */
  readonly dev?: boolean;
  /** How many keys, and how many of them must sign; 2 of 3 for the image root, else one. */
  readonly thresholds?: Partial<Record<ManyKeyed, Threshold>>;
}

export type ManyKeyed = "root" | "targets" | "directorRoot";

export interface Threshold {
  readonly keys: number;
  readonly threshold: number;
}

/** Makes settings and keys in `directory`; refuses one that is a workspace already. Repositories are made after it. */
export async function initWorkspace(directory: string, options: WorkspaceOptions): Promise<Workspace> {
  if (await isPresent(settingsPath(directory)))
    throw new OperatorError("workspace-exists", `${directory} is a workspace already. Choose another directory.`);
  const { broker, root, clock, dev = false, passphrase } = options;
  if (!dev && (passphrase === undefined || passphrase === ""))
    throw new OperatorError(
      "workspace-invalid",
      "The keys need a passphrase: set OUTSTATION_PASSPHRASE or give --passphrase-file. To try things, use --dev.",
    );
  const one = { keys: 1, threshold: 1 };
  const { targets = one, directorRoot = one, root: imageRoot = { keys: 3, threshold: 2 } } = options.thresholds ?? {};
  checkThresholds({ root: imageRoot, targets, "director root": directorRoot });
  const settings: WorkspaceSettings = {
    format: 1,
    broker,
    root,
    created: new Date(clock.nowMs()).toISOString(),
    dev,
    rootKeys: imageRoot.keys,
    rootThreshold: imageRoot.threshold,
    targetsKeys: targets.keys,
    targetsThreshold: targets.threshold,
    directorRootKeys: directorRoot.keys,
    directorRootThreshold: directorRoot.threshold,
  };
  const secret = dev ? undefined : passphrase;
  const names: readonly KeyName[] = [
    ...rootKeyNames(settings),
    ...targetsKeyNames(settings),
    "snapshot",
    "timestamp",
    ...directorRootKeyNames(settings),
    "director",
    "operator",
  ];
  for (const name of names) {
    const key = await createKey(join(keysDirectory(directory), `${name}.pem`), secret);
    // Stays when the key is moved away, so that the key still has its name here.
    await writeFileAtomic(join(keysDirectory(directory), `${name}${publicSuffix}`), formatPublicKey(key));
  }
  // Last, so that an interrupted init is not taken for a workspace.
  await writeFileAtomic(settingsPath(directory), `${JSON.stringify(settings, undefined, 2)}\n`);
  return createWorkspace(directory, settings, options);
}

function checkThresholds(wanted: Readonly<Record<string, Threshold>>): void {
  for (const [role, { keys, threshold }] of Object.entries(wanted)) {
    if ([keys, threshold].every((number) => v.is(count, number)) && threshold <= keys) continue;
    throw new OperatorError(
      "workspace-invalid",
      `${threshold} of ${keys} ${role} keys can never sign. Take 1 to 9 keys, and a threshold of at most as many.`,
    );
  }
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

export function targetsKeyNames({ targetsKeys }: WorkspaceSettings): readonly KeyName[] {
  return numbered("targets", targetsKeys);
}

export function directorRootKeyNames({ directorRootKeys }: WorkspaceSettings): readonly KeyName[] {
  return numbered("director-root", directorRootKeys);
}

/** One key is named as its role; several are counted. */
function numbered(role: NumberedRole, count: number): readonly KeyName[] {
  return count === 1 ? [role] : Array.from({ length: count }, (_, index): KeyName => `${role}-${index + 1}`);
}

export function keysDirectory(directory: string): string {
  return join(directory, "keys");
}

function createWorkspace(directory: string, settings: WorkspaceSettings, options: OpenOptions): Workspace {
  const secrets: Secrets = {
    passphraseOf: (name) => options.passphraseOf?.(name) ?? options.passphrase,
    pin: options.pin,
  };
  const keys = keysDirectory(directory);
  return {
    directory,
    settings,
    clock: options.clock,
    expiries: options.expiries ?? defaultExpiries,
    secrets,
    loadKey: (name) => openKeyNamed(keys, name, secrets),
    findKey: (keyId) => findKey(keys, keyId, secrets),
  };
}

function settingsPath(directory: string): string {
  return join(directory, "outstation.json");
}
