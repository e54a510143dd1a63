// The merge command of roots and of targets: signatures together, then what follows from them, then the broker.
import { mergeProposals } from "../../operator/ceremony/merge.ts";
import type { Merged } from "../../operator/ceremony/merge.ts";
import { describeSubject } from "../../operator/ceremony/proposal.ts";
import type { Workspace } from "../../operator/workspace.ts";
import type { Command, CommandContext } from "../command.ts";

export interface MergeKind {
  readonly kind: "root" | "targets";
  readonly help: string;
  /** What has to be signed because of it; resolves to lines to tell. */
  readonly follow: (workspace: Workspace) => Promise<readonly string[]>;
  readonly publish: (context: CommandContext, workspace: Workspace) => Promise<void>;
}

export function createMergeCommand({ kind, help, follow, publish }: MergeKind): Command {
  return {
    name: "merge",
    summary: `put signatures together; when they are enough, the ${kind === "root" ? "root" : "release"} takes effect`,
    synopsis: "<file>… [--no-publish]",
    help,
    options: { "no-publish": { type: "boolean" } },
    words: { min: 1, max: 16 },
    run: async (context) => {
      const workspace = await context.workspace();
      const merged = await mergeProposals(workspace, kind, context.words);
      const lines = [describeMerged(merged), ...(await follow(workspace))];
      context.print(lines.join("\n"), merged);
      if (context.options["no-publish"] !== true) await publish(context, workspace);
    },
  };
}

function describeMerged({ subject, version, signers }: Merged): string {
  return `The ${describeSubject(subject)} version ${version} takes effect, signed by ${signers.map((keyId) => keyId.slice(0, 16)).join(", ")}.`;
}
