// outstation init: keys, the two empty repositories, and the factory file that makes a gateway yours.
import { join } from "node:path";
import { createRepositories } from "../../operator/repository/create.ts";
import { publishImage } from "../../operator/publish.ts";
import { initWorkspace } from "../../operator/workspace.ts";
import { defaultRoot } from "../../protocol/topics.ts";
import { OperatorError } from "../../operator/error.ts";
import type { ManyKeyed, Threshold, Workspace } from "../../operator/workspace.ts";
import { isBrokerUrl } from "../../protocol/factory.ts";
import { textOption } from "../arguments.ts";
import { UsageError, type Command, type CommandContext } from "../command.ts";

export const init: Command = {
  name: "init",
  summary: "make keys, repositories and the factory file of a new fleet",
  synopsis: "--broker <url> [--root <topic>] [--dev] [--targets-keys <n> --targets-threshold <m>] …",
  help: `Makes a workspace in the current directory (or --dir): the keys that sign releases, deployments and
commands, both repositories, and factory.json, which a gateway is set up with. Do this once for a fleet.

Keys are encrypted with the passphrase in OUTSTATION_PASSPHRASE (or --passphrase-file). With --dev they
are in the clear: for trying things, never for gateways in the field. --root is the first part of every topic
(default outstation/v1).

How many keys a role has, and how many of them must sign, from 1 to 9:
  --root-keys 3 --root-threshold 2                     what exists: the image root
  --targets-keys 1 --targets-threshold 1               releases
  --director-root-keys 1 --director-root-threshold 1   who may say what runs
All keys are made here. Move the files of those that shall be offline to where they are kept: docs/keys.md.

  outstation init --broker mqtt://broker.example:1883
  outstation init --broker mqtt://127.0.0.1:1883 --dev`,
  options: {
    broker: { type: "string" },
    root: { type: "string" },
    dev: { type: "boolean" },
    ...Object.fromEntries(
      ["root", "targets", "director-root"].flatMap((role) => [
        [`${role}-keys`, { type: "string" }],
        [`${role}-threshold`, { type: "string" }],
      ]),
    ),
  },
  words: { min: 0, max: 0 },
  run: async (context) => {
    const broker = textOption(context, "broker");
    if (broker === undefined) throw new UsageError("Say where the broker is: --broker mqtt://host:1883");
    if (!isBrokerUrl(broker)) throw new UsageError(`"${broker}" is no broker URL such as mqtt://host:1883`);
    const { directory, passphrase, clock } = context;
    const workspace = await initWorkspace(directory, {
      broker,
      root: textOption(context, "root") ?? defaultRoot,
      dev: context.options["dev"] === true,
      clock,
      thresholds: readThresholds(context),
      ...(passphrase === undefined ? {} : { passphrase }),
    });
    context.progress("keys are made");
    await createRepositories(workspace);
    context.progress("both repositories are signed");
    await publish(context, workspace);
    const factory = join(directory, "factory.json");
    const next = `Set up a gateway with: outstationd setup --id <name> --factory ${factory} --board <board.json>`;
    context.print(`The fleet is ready in ${directory}. ${next}`, { directory, broker, factory });
  },
};

function readThresholds(context: CommandContext): Partial<Record<ManyKeyed, Threshold>> {
  const read = (name: string, otherwise: number): number => {
    const text = textOption(context, name);
    if (text === undefined) return otherwise;
    if (!/^[1-9]$/.test(text)) throw new UsageError(`--${name} "${text}" is no number from 1 to 9.`);
    return Number(text);
  };
  return {
    root: { keys: read("root-keys", 3), threshold: read("root-threshold", 2) },
    targets: { keys: read("targets-keys", 1), threshold: read("targets-threshold", 1) },
    directorRoot: { keys: read("director-root-keys", 1), threshold: read("director-root-threshold", 1) },
  };
}

const unpublished: readonly string[] = ["broker-unreachable", "broker-refused"];

/** The keys are made whether the broker is there or not: a first release publishes all that is missing. */
async function publish(context: CommandContext, workspace: Workspace): Promise<void> {
  try {
    await using session = await context.session(workspace);
    await publishImage(workspace, session.link);
  } catch (cause) {
    if (!(cause instanceof OperatorError) || !unpublished.includes(cause.code)) throw cause;
    const message = `The fleet is ready in ${workspace.directory}, but not published. ${cause.message} Go on with: outstation release`;
    throw new OperatorError(cause.code, message, { cause, retryable: cause.retryable });
  }
}
