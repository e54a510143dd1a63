// outstation keys rotate: a new key in the place of an old one.
import { rotateKey } from "../../../operator/ceremony/changeKeys.ts";
import { wordAt } from "../../arguments.ts";
import type { Command } from "../../command.ts";
import { tokenOption } from "../../tokenOption.ts";
import { describeChange, publishChange } from "./describeChange.ts";

export const keysRotate: Command = {
  name: "rotate",
  summary: "make a new key and propose it in the place of an old one",
  synopsis: "<name or key id> [--pkcs11 <module>,<token>,<label>]",
  help: `Makes a new key, such as timestamp-2 after timestamp, and proposes the next root, in which it has every role of the old
one. It takes effect when enough root keys have signed the proposal and it is merged; several rotations before that are
one proposal. The old key's file stays, since it may have to sign; delete it after the merge. An operator's key is no
root's business: the list of operators is changed, signed for every gateway and published at once.

  outstation keys rotate timestamp
  outstation root sign pending/image.2.root.json --key keys/root-1.pem
  outstation root sign pending/image.2.root.json --key keys/root-2.pem
  outstation root merge pending/image.2.root.json`,
  options: { pkcs11: { type: "string" } },
  words: { min: 1, max: 1 },
  run: async (context) => {
    const workspace = await context.workspace();
    const token = tokenOption(context);
    const change = await rotateKey(workspace, wordAt(context, 0), { token });
    const { keyId, made, proposals, operators } = change;
    const head = `The key ${made.name} (${made.keyId}) is to replace ${keyId}.`;
    context.print([head, ...describeChange(change)].join("\n"), {
      replaced: keyId,
      name: made.name,
      keyId: made.keyId,
      proposals,
      operators,
    });
    await publishChange(context, workspace, change);
  },
};
