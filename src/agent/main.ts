// The agent's process `outstationd`: setup once, then run until it is told to stop.
import { totalmem } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { openBoard } from "../../devices/openBoard.ts";
import { parseBoardFile, type BoardFile } from "../../devices/boardFile.ts";
import { systemDeviceClock } from "../../devices/clock.ts";
import { DeviceError } from "../../devices/error.ts";
import { systemClock } from "../base/clock.ts";
import { describeError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { systemRandom } from "../base/random.ts";
import { DocumentError } from "../protocol/document.ts";
import { agentVersion } from "../protocol/version.ts";
import { openNodeDisk } from "../store/nodeDisk.ts";
import { startAgent } from "./agent.ts";
import { readClockFloor } from "./clockFloor.ts";
import { ConfigError, loadConfig, loadFactory, readNamedFile, saveConfig, type GatewayConfigText } from "./config.ts";
import { createLog } from "./log.ts";
import type { Memory } from "./precheck.ts";
import { lockState } from "./stateLock.ts";
import { explainWhy } from "./why.ts";

const help = `outstationd: the Outstation agent on a gateway

  outstationd setup --id <name> --factory <factory.json> --board <board.json> [--state <directory>]
      Makes this machine a gateway of the fleet that made the factory file. Once.
      --broker <url>                             the broker as reached from here, if not as in the factory file
      --username <name> --password-file <file>   how the broker knows us
      --mqtt <auto|3.1.1|5>                      MQTT version (default auto)

  outstationd run [--state <directory>]
      Runs the committed components, with or without a network, and does what the fleet's director says.

  outstationd why [--state <directory>] [--json]
      Says why the gateway does not run what was asked of it: rule, what was seen, what to do. Needs no broker.

  outstationd clock [--state <directory>]
      Prints the earliest that it can be now, in seconds since 1970: what the director last attested. The systemd unit
      sets a clock that is behind it, so that certificates can be checked on a board without a battery.

  --state <directory>   where everything is kept (default: $STATE_DIRECTORY, else ./outstation-state)
  --log <level>         debug, info, warn or error (default info)

Exit codes: 0 stopped, or told why; 1 failed (start it again); 2 wrong usage; 69 nothing was ever reported;
78 wrong configuration (a restart does not help)`;

const options = {
  state: { type: "string" },
  id: { type: "string" },
  factory: { type: "string" },
  board: { type: "string" },
  broker: { type: "string" },
  username: { type: "string" },
  "password-file": { type: "string" },
  mqtt: { type: "string" },
  json: { type: "boolean" },
  log: { type: "string", default: "info" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} as const;

const logLevels: readonly string[] = ["debug", "info", "warn", "error"];

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>["values"];

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    if (values.version === true) return say(process.stdout, agentVersion, 0);
    if (!logLevels.includes(values.log))
      return say(process.stderr, `outstationd: --log is one of ${logLevels.join(", ")}.`, 2);
    const [verb, ...more] = positionals;
    if (values.help === true) return say(process.stdout, help, 0);
    if (verb === undefined) return say(process.stderr, help, 2);
    if (more.length > 0) return say(process.stderr, `outstationd: "${more[0]}" is one word too many.\n\n${help}`, 2);
    if (verb === "setup") return await setup(values);
    if (verb === "run") return await run(values);
    if (verb === "why") return await tellWhy(values);
    if (verb === "clock") return say(process.stdout, `${await readClockFloor(stateDirectory(values))}`, 0);
    return say(process.stderr, `outstationd: there is no "${verb}".\n\n${help}`, 2);
  } catch (error) {
    return say(process.stderr, `outstationd: ${describeError(error)}`, exitCodeOf(error));
  }
}

async function setup(values: Values): Promise<number> {
  const { id, factory, board, broker, username, mqtt } = values;
  if (id === undefined || factory === undefined || board === undefined)
    return say(process.stderr, `outstationd setup needs --id, --factory and --board.\n\n${help}`, 2);
  const directory = stateDirectory(values);
  await loadBoardFile(board);
  const passwordFile = values["password-file"];
  if (passwordFile !== undefined) await readNamedFile(passwordFile, "password file");
  const config: GatewayConfigText = {
    gateway: id,
    factory: await loadFactory(factory),
    board: resolve(board),
    ...(broker === undefined ? {} : { broker }),
    ...(username === undefined ? {} : { username }),
    ...(passwordFile === undefined ? {} : { passwordFile: resolve(passwordFile) }),
    ...(mqtt === undefined ? {} : { protocol: mqtt as GatewayConfigText["protocol"] & string }),
  };
  saveConfig(directory, config);
  return say(process.stdout, `${id} is set up in ${directory}. Start it with: outstationd run --state ${directory}`, 0);
}

async function run(values: Values): Promise<number> {
  const directory = stateDirectory(values);
  const config = loadConfig(directory);
  const boardFile = await loadBoardFile(config.board);
  using _lock = lockState(directory);
  const { passwordFile } = config;
  const password =
    passwordFile === undefined ? undefined : (await readNamedFile(passwordFile, "password file")).trimEnd();
  const log = createLog(values.log);
  const stopped = Promise.withResolvers<number>();
  const stop = (): void => {
    systemClock.after(limits.stopMs, () => process.exit(0));
    stopped.resolve(0);
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  await using board = await openBoard(boardFile, { clock: systemDeviceClock });
  await using _agent = await startAgent({
    config,
    stateDirectory: directory,
    password,
    disk: await openNodeDisk(directory),
    board,
    memory: measureMemory,
    clock: systemClock,
    random: systemRandom,
    log,
    onFatal: (error) => {
      log.error({ reason: describeError(error) }, "the agent cannot go on; start it again");
      stopped.resolve(1);
    },
  });
  // Awaited here: what `await using` holds is disposed when this function returns.
  return await stopped.promise;
}

async function loadBoardFile(path: string): Promise<BoardFile> {
  try {
    return parseBoardFile(await readNamedFile(path, "board file"));
  } catch (cause) {
    if (cause instanceof DeviceError) throw new ConfigError("invalid", `${path}: ${cause.message}`, { cause });
    throw cause;
  }
}

async function tellWhy(values: Values): Promise<number> {
  const { text, code } = await explainWhy(stateDirectory(values), values.json === true);
  return say(code === 0 ? process.stdout : process.stderr, text, code);
}

/** With the bound of our control group, where there is one: it is said to be 0 or endless where there is none. */
function measureMemory(): Memory {
  const totalBytes = Math.min(totalmem(), process.constrainedMemory() || Infinity);
  return { totalBytes, availableBytes: process.availableMemory() };
}

function stateDirectory({ state }: Values): string {
  return resolve(state ?? process.env["STATE_DIRECTORY"] ?? "outstation-state");
}

function exitCodeOf(error: unknown): number {
  if (error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS")) return 2;
  // The other agent may be on its way out: here a restart does help.
  if (error instanceof ConfigError && error.code === "locked") return 1;
  const isConfiguration =
    error instanceof ConfigError || error instanceof DocumentError || error instanceof DeviceError;
  return isConfiguration ? 78 : 1;
}

function say(stream: NodeJS.WriteStream, text: string, code: number): number {
  stream.write(`${text}\n`);
  return code;
}
