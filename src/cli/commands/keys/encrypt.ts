// outstation keys encrypt: gives a key file another passphrase, or its first.
import { OperatorError } from "../../../operator/error.ts";
import { encryptKey } from "../../../operator/keys/key.ts";
import { checkKeyName, keyFileOf } from "../../../operator/keys/keyring.ts";
import { tokenSuffix } from "../../../operator/keys/tokenKey.ts";
import { keysDirectory } from "../../../operator/workspace.ts";
import { textOption, wordAt } from "../../arguments.ts";
import { UsageError, type Command } from "../../command.ts";
import { readInput } from "../../input.ts";

export const keysEncrypt: Command = {
  name: "encrypt",
  summary: "give a key file a passphrase, or another one",
  synopsis: "<name> --new-passphrase-file <file>",
  help: `Writes the key again, encrypted under the passphrase in the file ("-" is standard input). The old passphrase comes from
where it always does. A key may have a passphrase of its own: tell it to later commands as OUTSTATION_PASSPHRASE_<NAME>,
in capitals with "_" for all that is no letter or digit, such as OUTSTATION_PASSPHRASE_ROOT_1.

  outstation keys encrypt root-1 --new-passphrase-file new.txt`,
  options: { "new-passphrase-file": { type: "string" } },
  words: { min: 1, max: 1 },
  run: async (context) => {
    const name = wordAt(context, 0);
    checkKeyName(name);
    const file = textOption(context, "new-passphrase-file");
    if (file === undefined) throw new UsageError("Say where the new passphrase is: --new-passphrase-file <file>");
    const newPassphrase = new TextDecoder().decode(await readInput(file, "passphrase file")).trimEnd();
    if (newPassphrase === "") throw new UsageError(`${file} is empty; it must hold the new passphrase.`);
    const path = await keyFileOf(keysDirectory(context.directory), name);
    if (path.endsWith(tokenSuffix))
      throw new OperatorError(
        "key-invalid",
        `${name} is in a token, which has a PIN. Change it with the token's own tools.`,
      );
    await encryptKey(path, { passphrase: context.secrets.passphraseOf(name), newPassphrase });
    context.print(`The key ${name} is encrypted under the new passphrase: ${path}`, { name, path });
  },
};
