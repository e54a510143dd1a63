// outstation root: the ceremony that changes which keys are trusted, by files that travel to the root keys and back.
import { renewRoot } from "../../operator/ceremony/changeKeys.ts";
import { publishAll, renewAll } from "../../operator/ceremony/takeEffect.ts";
import type { Workspace } from "../../operator/workspace.ts";
import { UsageError, type Command, type CommandContext, type CommandGroup } from "../command.ts";
import { createMergeCommand } from "./merge.ts";
import { createSignCommand } from "./sign.ts";

const sign = createSignCommand(
  "root",
  `Shows which keys, thresholds and expiry the file changes against the root before, and adds a signature to it. Runs where
the key is: no workspace and no network. Take the file and the one before it (image.1.root.json beside
image.2.root.json) there, and bring the signed file back. Without the one before, give your own copy with --before; only
a real root, signed by its own keys, is taken. --dry-run only shows.

  outstation root sign image.2.root.json --dry-run
  outstation root sign image.2.root.json --key root-1.pem`,
);

async function follow(workspace: Workspace): Promise<readonly string[]> {
  const pending = await renewAll(workspace);
  if (pending === undefined) return [];
  return [
    `The targets must be signed again too: outstation targets sign ${pending} --key <targets key>, then: outstation targets merge ${pending}`,
  ];
}

async function publish(context: CommandContext, workspace: Workspace): Promise<void> {
  await using session = await context.session(workspace);
  await publishAll(workspace, session.link);
  context.progress("both repositories are published");
}

const merge = createMergeCommand({
  kind: "root",
  help: `Adds the signatures of the files to the proposal in pending/. All must have the same content as it: what was signed is
what was proposed. Each key counts once, and both the root before and the new root must have their threshold. Then it is
the next root; what the new online keys must sign is signed, and all is published, unless --no-publish says not to.
Exit code 75: signatures are still missing; those that came are kept.

  outstation root merge image.2.root.json
  outstation root merge from-anna.json from-ben.json`,
  follow,
  publish,
});

const renew: Command = {
  name: "renew",
  summary: "propose the same keys for another year",
  synopsis: "image|director",
  help: `Proposes the next root with the keys of before and a new expiry. Sign and merge it like every root. A gateway
installs nothing under an expired root; see: outstation keys list

  outstation root renew image`,
  options: {},
  words: { min: 1, max: 1 },
  run: async (context) => {
    const [repository] = context.words;
    if (repository !== "image" && repository !== "director")
      throw new UsageError(`There is no repository "${repository}": image or director.`);
    const workspace = await context.workspace();
    const path = await renewRoot(workspace, repository);
    const next = `Sign it with enough root keys: outstation root sign ${path} --key <root key>`;
    context.print(`The next ${repository} root is proposed: ${path}\n${next}\nThen: outstation root merge ${path}`, {
      repository,
      path,
    });
  },
};

const publishRoots: Command = {
  name: "publish",
  summary: "sign again what the newest roots ask for, and publish everything",
  synopsis: "",
  help: `For after a merge that was interrupted, or one with --no-publish: signs what ages or what the newest roots do not vouch
for, and publishes both repositories, for every gateway.

  outstation root publish`,
  options: {},
  words: { min: 0, max: 0 },
  run: async (context) => {
    const workspace = await context.workspace();
    const lines = await follow(workspace);
    await publish(context, workspace);
    context.print(["Both repositories are signed and published.", ...lines].join("\n"), { published: true });
  },
};

export const root: CommandGroup = {
  name: "root",
  summary: "sign, merge, renew and publish roots, offline",
  help: `A root says which keys are trusted with what. The next one is proposed as a file in pending/ (outstation keys rotate or
revoke, outstation root renew), signed by enough keys of the root before and of its own, each wherever it is kept, and
merged here.`,
  commands: [sign, merge, renew, publishRoots],
};
