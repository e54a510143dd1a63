// outstation keys list: every key that something trusts, and every key that is here.
import { listKeyRoles } from "../../../operator/ceremony/keyRoles.ts";
import type { HeldRole, ListedKey } from "../../../operator/ceremony/keyRoles.ts";
import type { Command } from "../../command.ts";
import { alignRows } from "../../table.ts";

export const keysList: Command = {
  name: "list",
  summary: "which key signs what, where it is, and when that expires",
  synopsis: "",
  help: `One line a key: its name, the beginning of its id, where it is, and the roles it holds: repository, role, how many of
how many keys must sign, and until when the newest metadata of the role is valid. "elsewhere" is a key that something
trusts and that is not in keys/: offline, as root keys should be. A key without a role can be deleted.

  outstation keys list
  outstation keys list --json`,
  options: {},
  words: { min: 0, max: 0 },
  run: async (context) => {
    const listed = await listKeyRoles(await context.workspace());
    const rows = alignRows(listed.map(describeKey));
    for (const [index, row] of rows.entries()) context.print(row, toJson(listed[index]));
  },
};

const places = {
  encrypted: "file, encrypted",
  clear: "file, in the clear",
  pkcs11: "PKCS#11 token",
  elsewhere: "elsewhere",
} as const;

function describeKey({ name, keyId, place, roles }: ListedKey): readonly string[] {
  const held = roles.length === 0 ? "no role" : roles.map(describeRole).join("; ");
  return [name ?? "-", keyId?.slice(0, 16) ?? "(locked)", places[place], held];
}

function describeRole({ repository, role, threshold, keys, expiresMs }: HeldRole): string {
  if (repository === "operators") return "commands";
  const until = expiresMs === undefined ? "" : ` until ${formatDay(expiresMs)}`;
  return `${repository} ${role} ${threshold} of ${keys}${until}`;
}

function toJson(key: ListedKey | undefined): unknown {
  const roles = key?.roles.map(({ expiresMs, ...role }) => ({
    ...role,
    expires: expiresMs === undefined ? undefined : new Date(expiresMs).toISOString(),
  }));
  return { ...key, roles };
}

function formatDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
