// outstation publisher: who else may release, and under which paths.
import { changeTargets } from "../../operator/ceremony/changeTargets.ts";
import { readPublisherKeys } from "../../operator/ceremony/publisherKeys.ts";
import { publishImage } from "../../operator/publish.ts";
import { addPublisher, listPublishers, removePublisher } from "../../operator/repository/delegations.ts";
import type { Publisher } from "../../operator/repository/delegations.ts";
import { imageDirectory } from "../../operator/repository/places.ts";
import { loadRepository } from "../../operator/repository/repository.ts";
import type { TargetsOutcome } from "../../operator/ceremony/changeTargets.ts";
import type { Workspace } from "../../operator/workspace.ts";
import { textOption, wordAt } from "../arguments.ts";
import { UsageError, type Command, type CommandContext, type CommandGroup } from "../command.ts";
import { alignRows } from "../table.ts";
import { tellPending } from "./targets.ts";

const add: Command = {
  name: "add",
  summary: "let somebody else's key release under some paths",
  synopsis: "<name> --paths <pattern>,… --key <file or key id>,… [--threshold <n>]",
  help: `Signs into the image repository that releases under these paths are the publisher's: <component>/* for one
component, pump-*/* for several. "*" stands for any letters but "/". Each path is one publisher's; of overlapping
ones, the publisher that was added first answers. A key is a <name>.public.json, or the id of a key that is here.
Adding a publisher again replaces its paths and keys; releases that its old keys signed cannot be installed until it
signs again: outstation targets renew --as <name>.

  outstation publisher add acme --paths 'boiler/*,pump-*/*' --key acme.public.json
  outstation release boiler@1.0.0 boiler.wasm --as acme`,
  options: { paths: { type: "string" }, key: { type: "string" }, threshold: { type: "string", default: "1" } },
  words: { min: 1, max: 1 },
  run: async (context) => {
    const name = wordAt(context, 0);
    const [paths, keyNames] = [listOption(context, "paths"), listOption(context, "key")];
    const threshold = Number(textOption(context, "threshold"));
    if (!Number.isSafeInteger(threshold))
      throw new UsageError("--threshold is a number: how many of the keys must sign.");
    const workspace = await context.workspace();
    const keys = await readPublisherKeys(workspace, keyNames);
    const outcome = await changeTargets(workspace, "targets", ({ targets, delegations }) => ({
      targets,
      delegations: addPublisher(delegations, { name, paths, keys, threshold }),
    }));
    return tell(context, workspace, { outcome, done: `${name} may release under ${paths.join(", ")}.` });
  },
};

const remove: Command = {
  name: "remove",
  summary: "let a publisher release no more, and install nothing it released",
  synopsis: "<name>",
  help: `Takes the delegation away. What runs, runs on; what the publisher released is not installed any more.

  outstation publisher remove acme`,
  options: {},
  words: { min: 1, max: 1 },
  run: async (context) => {
    const name = wordAt(context, 0);
    const workspace = await context.workspace();
    const outcome = await changeTargets(workspace, "targets", ({ targets, delegations }) => ({
      targets,
      delegations: removePublisher(delegations, name),
    }));
    return tell(context, workspace, { outcome, done: `${name} is a publisher no more.` });
  },
};

const list: Command = {
  name: "list",
  summary: "publishers, their paths, keys and releases",
  synopsis: "",
  help: `One line a publisher, in the order in which they are asked for a path.

  outstation publisher list`,
  options: {},
  words: { min: 0, max: 0 },
  run: async (context) => {
    const workspace = await context.workspace();
    const publishers = listPublishers(await loadRepository(imageDirectory(workspace)));
    if (publishers.length === 0) context.progress("There is no publisher: the targets keys sign every release.");
    const rows = alignRows(publishers.map(describePublisher));
    for (const [index, row] of rows.entries()) context.print(row, toJson(publishers[index]));
  },
};

function describePublisher({
  name,
  paths,
  threshold,
  keys,
  releases,
  version,
  isSigned,
}: Publisher): readonly string[] {
  const state =
    version === 0
      ? "has released nothing"
      : isSigned
        ? `${releases} release${releases === 1 ? "" : "s"}`
        : "must sign again: its keys changed";
  const ids = keys.map(({ keyId }) => keyId.slice(0, 16)).join(", ");
  return [name, paths.join(", "), `${threshold} of ${keys.length}`, state, ids];
}

function toJson(publisher: Publisher | undefined): unknown {
  return { ...publisher, keys: publisher?.keys.map(({ keyId }) => keyId) };
}

function listOption(context: CommandContext, name: string): readonly string[] {
  const text = textOption(context, name);
  if (text === undefined) throw new UsageError(`--${name} is needed.`);
  return text.split(",").map((part) => part.trim());
}

async function tell(
  context: CommandContext,
  workspace: Workspace,
  { outcome, done }: { readonly outcome: TargetsOutcome; readonly done: string },
): Promise<75 | void> {
  if (outcome.kind === "pending") return tellPending(context, "The change of publishers", outcome.path);
  await using session = await context.session(workspace);
  await publishImage(workspace, session.link);
  return context.print(done, { done });
}

export const publisher: CommandGroup = {
  name: "publisher",
  summary: "let others release components under paths of their own",
  help: `A publisher signs releases of its own components with its own key: a supplier, or a team. The fleet's targets keys say
which paths are whose (TUF delegations); the director still decides what runs where.`,
  commands: [add, remove, list],
};
