// outstation keys revoke: takes every role from a key.
import { revokeKey } from "../../../operator/ceremony/changeKeys.ts";
import { wordAt } from "../../arguments.ts";
import type { Command } from "../../command.ts";
import { describeChange, publishChange } from "./describeChange.ts";

export const keysRevoke: Command = {
  name: "revoke",
  summary: "propose a root that trusts a key no more",
  synopsis: "<name or key id>",
  help: `Proposes the next root without the key, and refuses when a role would be left with fewer keys than must sign for it:
then rotate. As with rotate, enough root keys sign the proposal and it is merged. An operator's key is taken off the
list at once, for every gateway.

  outstation keys revoke root-3
  outstation keys revoke operator`,
  options: {},
  words: { min: 1, max: 1 },
  run: async (context) => {
    const workspace = await context.workspace();
    const change = await revokeKey(workspace, wordAt(context, 0));
    const { keyId, proposals, operators } = change;
    const head = `The key ${keyId} is to lose every role.`;
    context.print([head, ...describeChange(change)].join("\n"), { revoked: keyId, proposals, operators });
    await publishChange(context, workspace, change);
  },
};
