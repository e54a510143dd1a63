// The --pkcs11 option: a module, a token and a label, in one word.
import type { TokenReference } from "../operator/keys/tokenKey.ts";
import { textOption } from "./arguments.ts";
import { UsageError, type CommandContext } from "./command.ts";

/** Undefined when the option is not given. */
export function tokenOption(context: CommandContext): TokenReference | undefined {
  const text = textOption(context, "pkcs11");
  if (text === undefined) return undefined;
  const [module = "", token = "", label = "", ...more] = text.split(",");
  if (more.length > 0 || !module.startsWith("/") || token === "" || label === "")
    throw new UsageError(
      "Write --pkcs11 as <path of the module>,<token>,<label>: /usr/lib/softhsm/libsofthsm2.so,fleet,targets",
    );
  if (token.length > 32 || label.length > 64)
    throw new UsageError("A token's label has at most 32 characters, a key's at most 64.");
  return { module, token, label };
}
