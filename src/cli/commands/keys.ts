// outstation keys: what each key may sign, and keys made, closed, replaced and taken away.
import type { CommandGroup } from "../command.ts";
import { keysCreate } from "./keys/create.ts";
import { keysEncrypt } from "./keys/encrypt.ts";
import { keysList } from "./keys/list.ts";
import { keysRevoke } from "./keys/revoke.ts";
import { keysRotate } from "./keys/rotate.ts";

export const keys: CommandGroup = {
  name: "keys",
  summary: "list, create, encrypt, rotate and revoke keys",
  help: `Keys are files in keys/ of the workspace, or live in a PKCS#11 token that a file there refers to. The newest
roots say which key signs what; where a key is does not matter. To keep one offline, move its file away.`,
  commands: [keysList, keysCreate, keysEncrypt, keysRotate, keysRevoke],
};
