// What this gateway is: its name, its broker, its roots of trust and its board; written once, by `outstationd setup`.
import { readFile } from "node:fs/promises";
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import Conf from "conf";
import * as v from "valibot";
import { describeError, OutstationError } from "../base/error.ts";
import { parseDocument, parseValue } from "../protocol/document.ts";
import { brokerUrl, factorySchema } from "../protocol/factory.ts";
import { isName } from "../protocol/topics.ts";

export class ConfigError extends OutstationError<
  "not-set-up" | "set-up-already" | "unreadable" | "unwritable" | "invalid" | "locked"
> {}

const configSchema = v.strictObject({
  gateway: v.pipe(v.string(), v.check(isName, "expected a name of a-z, 0-9, '.', '_' or '-', at most 64 long")),
  factory: factorySchema,
  /** Path of the board file. */
  board: v.string(),
  /** The broker as it is reached from here, when that is not what the factory file says. */
  broker: v.optional(brokerUrl),
  /** MQTT version; "auto" tries 5 and falls back to 3.1.1. */
  protocol: v.optional(v.picklist(["auto", "3.1.1", "5"]), "auto"),
  username: v.optional(v.string()),
  /** Path of a file that holds the broker's password; the password itself is never in the configuration. */
  passwordFile: v.optional(v.string()),
});

export type GatewayConfig = v.InferOutput<typeof configSchema>;
export type GatewayConfigText = v.InferInput<typeof configSchema>;

/** The saved configuration. ConfigError "not-set-up" when there is none, "invalid" with what is wrong. */
export function loadConfig(stateDirectory: string): GatewayConfig {
  if (!existsSync(join(stateDirectory, "config.json")))
    throw new ConfigError(
      "not-set-up",
      `${stateDirectory} is not set up. Run: outstationd setup --state ${stateDirectory}`,
    );
  return parseConfig(readStore(stateDirectory));
}

export function saveConfig(stateDirectory: string, config: GatewayConfigText): GatewayConfig {
  const parsed = parseConfig(config);
  if (existsSync(join(stateDirectory, "config.json")))
    throw new ConfigError("set-up-already", `${stateDirectory} is set up already. Remove it first to set it up anew.`);
  try {
    // What components are and say is for nobody else on this machine; a reader of the lock could even hold it.
    mkdirSync(resolve(stateDirectory), { recursive: true, mode: 0o700 });
    openConf(stateDirectory).store = parsed;
  } catch (cause) {
    const message = `${stateDirectory} cannot be written (${describeError(cause)}). Choose --state, or run as another user.`;
    throw new ConfigError("unwritable", message, { cause });
  }
  return parsed;
}

/** Reads a file the operator named; ConfigError "unreadable" says which and why. */
export async function readNamedFile(path: string, what: string): Promise<string> {
  try {
    return await readFile(resolve(path), "utf8");
  } catch (cause) {
    throw new ConfigError("unreadable", `The ${what} ${path} cannot be read: ${(cause as Error).message}.`, { cause });
  }
}

export async function loadFactory(path: string): Promise<GatewayConfig["factory"]> {
  return parseDocument(factorySchema, await readNamedFile(path, "factory file"), { what: `factory file ${path}` });
}

function parseConfig(value: unknown): GatewayConfig {
  return parseValue(configSchema, value, { what: "gateway's configuration" });
}

function readStore(stateDirectory: string): unknown {
  try {
    return openConf(stateDirectory).store;
  } catch (cause) {
    const path = join(stateDirectory, "config.json");
    const message = `${path} cannot be read (${describeError(cause)}). Remove it and run outstationd setup again.`;
    throw new ConfigError("unreadable", message, { cause });
  }
}

function openConf(stateDirectory: string): Conf<Record<string, unknown>> {
  return new Conf({ cwd: resolve(stateDirectory), configName: "config", configFileMode: 0o600 });
}
