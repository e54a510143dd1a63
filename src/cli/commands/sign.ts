// The sign command of roots and of targets: shows what a signature changes, then adds it; needs no workspace.
import { signProposal } from "../../operator/ceremony/sign.ts";
import { textOption, wordAt } from "../arguments.ts";
import { UsageError, type Command } from "../command.ts";

export function createSignCommand(kind: "root" | "targets", help: string): Command {
  return {
    name: "sign",
    summary: `show what a proposed ${kind === "root" ? "root" : "list of releases"} changes, and sign it`,
    synopsis: "<file> --key <key file> [--before <file>] [--dry-run]",
    help,
    options: { key: { type: "string" }, before: { type: "string" }, "dry-run": { type: "boolean" } },
    words: { min: 1, max: 1 },
    run: async (context) => {
      const path = wordAt(context, 0);
      const dryRun = context.options["dry-run"] === true;
      const keyPath = textOption(context, "key");
      if (keyPath === undefined && !dryRun)
        throw new UsageError("Say which key signs: --key <key file>, or only look: --dry-run");
      const { secrets } = context;
      const beforePath = textOption(context, "before");
      const outcome = await signProposal({ kind, path, keyPath: keyPath ?? "", secrets, beforePath, dryRun });
      const { lines, keyId, signatures } = outcome;
      const end = keyId === undefined ? "not signed: a dry run" : `signed by ${keyId}`;
      const has = `${path} has ${signatures} signature${signatures === 1 ? "" : "s"}`;
      context.print([...lines, `${end}; ${has}`].join("\n"), { path, changes: lines, keyId, signatures });
    },
  };
}
