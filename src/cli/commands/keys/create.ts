// outstation keys create: a key that nothing trusts yet, for a publisher or to be put into a token.
import { makeKey } from "../../../operator/keys/makeKey.ts";
import { keysDirectory } from "../../../operator/workspace.ts";
import { wordAt } from "../../arguments.ts";
import type { Command } from "../../command.ts";
import { tokenOption } from "../../tokenOption.ts";

export const keysCreate: Command = {
  name: "create",
  summary: "make a key, as a file or in a token",
  synopsis: "<name> [--pkcs11 <module>,<token>,<label>] [--dev]",
  help: `Makes an ed25519 key in keys/ of the directory, which need not be a workspace, and <name>.public.json beside it:
that file is for others, such as the fleet that takes you as a publisher. The key is encrypted with the passphrase;
with --dev it is in the clear. With --pkcs11 the key is made in the token and never leaves it; one that is there with
that label is taken. Nothing trusts the key until a root or a delegation names it: outstation keys rotate,
outstation publisher add.

  outstation keys create acme --dir ~/acme
  outstation keys create targets-hsm --pkcs11 /usr/lib/softhsm/libsofthsm2.so,fleet,targets`,
  options: { pkcs11: { type: "string" }, dev: { type: "boolean" } },
  words: { min: 1, max: 1 },
  run: async (context) => {
    const { directory, secrets } = context;
    const clear = context.options["dev"] === true;
    const made = await makeKey(keysDirectory(directory), {
      name: wordAt(context, 0),
      secrets,
      token: tokenOption(context),
      clear,
    });
    const { name, path, publicPath, keyId } = made;
    context.print(`The key ${name} is made: ${path}\nIts id is ${keyId}. Hand out ${publicPath}, never the key.`, {
      name,
      keyId,
      path,
      publicPath,
    });
  },
};
