// What only people can renew, told while there is time: roots and lists of releases that run out within weeks.
import { listPublishers } from "../repository/delegations.ts";
import { imageDirectory } from "../repository/places.ts";
import { loadRepository } from "../repository/repository.ts";
import { loadRoot } from "../repository/root.ts";
import type { Workspace } from "../workspace.ts";
import { rootDirectoryOf } from "./proposeRoot.ts";

/** One line each, with the command that renews it; snapshot and timestamp renew themselves with every deployment. */
export async function describeAgeing(workspace: Workspace): Promise<readonly string[]> {
  const { clock, expiries } = workspace;
  const lines: string[] = [];
  const check = (what: string, expiresMs: number, { termMs, renew }: { termMs: number; renew: string }): void => {
    if (expiresMs - clock.nowMs() > termMs / 4) return;
    const day = new Date(expiresMs).toISOString().slice(0, 10);
    lines.push(`the ${what} expires on ${day}, and gateways install nothing after that: ${renew}`);
  };
  for (const repository of ["image", "director"] as const) {
    const { content } = await loadRoot(rootDirectoryOf(workspace, repository));
    const renew = `outstation root renew ${repository}`;
    check(`${repository} root`, content.expiresMs, { termMs: expiries.rootMs / 3, renew });
  }
  const state = await loadRepository(imageDirectory(workspace));
  check("list of releases", state.expiries.targets, { termMs: expiries.targetsMs, renew: "outstation targets renew" });
  for (const { name, expiresMs } of listPublishers(state)) {
    if (expiresMs === undefined) continue;
    check(`list of ${name}'s releases`, expiresMs, {
      termMs: expiries.targetsMs,
      renew: `outstation targets renew --as ${name}`,
    });
  }
  return lines;
}
