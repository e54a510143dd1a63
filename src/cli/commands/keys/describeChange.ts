// What is left to do after a key was replaced or taken away, as the commands to type.
import type { KeyChange } from "../../../operator/ceremony/changeKeys.ts";
import { publishAll } from "../../../operator/ceremony/takeEffect.ts";
import type { Workspace } from "../../../operator/workspace.ts";
import type { CommandContext } from "../../command.ts";

/** Lines to follow the one that says what happened. */
export function describeChange({ proposals, operators }: KeyChange): readonly string[] {
  return [
    ...proposals.flatMap((path) => [
      `Next, with enough root keys, each where it is kept: outstation root sign ${path} --key <root key>`,
      `Then here: outstation root merge ${path}`,
    ]),
    ...(operators ? ["The list of operators is changed and signed for every gateway."] : []),
  ];
}

/** A changed list of operators takes effect when it is published; a proposed root needs no broker yet. */
export async function publishChange(
  context: CommandContext,
  workspace: Workspace,
  { operators }: KeyChange,
): Promise<void> {
  if (!operators) return;
  await using session = await context.session(workspace);
  await publishAll(workspace, session.link);
}
