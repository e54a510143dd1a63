// outstation targets: releases signed by keys that are not here, by files that travel to them and back.
import { renewTargets } from "../../operator/ceremony/changeTargets.ts";
import { publishImage, publishReleases } from "../../operator/publish.ts";
import { textOption } from "../arguments.ts";
import type { Command, CommandContext, CommandGroup } from "../command.ts";
import type { Workspace } from "../../operator/workspace.ts";
import { createMergeCommand } from "./merge.ts";
import { createSignCommand } from "./sign.ts";

const sign = createSignCommand(
  "targets",
  `Shows which releases and publishers the file adds, changes or removes, and adds a signature to it. Runs where the
key is: no workspace and no network. Compare the sha-256 of a release with that of the component you built.

  outstation targets sign targets.7.json --dry-run
  outstation targets sign targets.7.json --key targets.pem`,
);

async function publish(context: CommandContext, workspace: Workspace): Promise<void> {
  await using session = await context.session(workspace);
  await publishReleases(workspace, session.link);
  context.progress("the image repository is published");
}

const merge = createMergeCommand({
  kind: "targets",
  help: `Adds the signatures of the files to the proposal in pending/. All must have the same content as it, and each key counts
once. When they are enough, snapshot and timestamp are signed over it and all is published, unless --no-publish says not
to. Exit code 75: signatures are still missing; those that came are kept.

  outstation targets merge targets.7.json`,
  follow: async () => [],
  publish,
});

const renew: Command = {
  name: "renew",
  summary: "sign the list of releases again, with a new expiry",
  synopsis: "[--as <publisher>]",
  help: `Signs the same releases again, before their metadata expires or after the keys of a publisher changed. Where the
keys are not here, it waits in pending/ for them.

  outstation targets renew
  outstation targets renew --as acme`,
  options: { as: { type: "string" } },
  words: { min: 0, max: 0 },
  run: async (context) => {
    const workspace = await context.workspace();
    const role = textOption(context, "as") ?? "targets";
    const outcome = await renewTargets(workspace, role);
    if (outcome.kind === "pending") return tellPending(context, `The next ${role}`, outcome.path);
    await using session = await context.session(workspace);
    await publishImage(workspace, session.link);
    return context.print(`The metadata of ${role} is signed again and published.`, { role });
  },
};

/** Exit code 75: done only when the keys that are elsewhere have signed. */
export function tellPending(context: CommandContext, what: string, path: string): 75 {
  const lines = [
    `${what} waits for signatures: ${path}`,
    `Sign it where the keys are: outstation targets sign ${path} --key <key file>`,
    `Then here: outstation targets merge ${path}`,
  ];
  context.print(lines.join("\n"), { pending: path });
  return 75;
}

export const targets: CommandGroup = {
  name: "targets",
  summary: "sign and merge releases with keys kept offline",
  help: `When the targets keys are not in the workspace, outstation release proposes the next list of releases as a file in
pending/. It is signed wherever the keys are kept, and merged here; only then does the release exist.`,
  commands: [sign, merge, renew],
};
