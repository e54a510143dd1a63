// outstation serve: the process that keeps a fleet's broker filled and fresh, and answers gateways that find nothing there.
import { checkOnlineKeys, serveFleet, runPass, type Pass, type ServeOptions } from "../../operator/serve/serveFleet.ts";
import { consoleLog } from "../consoleLog.ts";
import type { Command } from "../command.ts";

export const serve: Command = {
  name: "serve",
  summary: "keep the fleet's broker filled and fresh, and answer gateways",
  synopsis: "[--once]",
  help: `Runs beside the broker, on a machine that has this workspace and its online keys (the image repository's snapshot
and timestamp, and the director's; root and targets stay elsewhere), until it is interrupted. It

  - signs timestamps and snapshots again before they expire, of the image repository and of every gateway's director;
  - publishes again what a wiped or restored broker lacks;
  - takes releases off the broker that no gateway is to run and that are not among the newest three of their component,
    and metadata of old rounds; a later deployment brings them back from disk;
  - answers gateways that found nothing retained (a broker that keeps no retained messages), and their question for the
    time, when they have no clock of their own.

It looks at the fleet at every connect and every ten minutes, and says what it did. With --once, it looks once and ends:
for a timer, where gateways need no answers. Where nothing of this runs, "outstation deploy" renews what it touches.

  outstation serve --dir fleet`,
  options: { once: { type: "boolean" } },
  words: { min: 0, max: 0 },
  run: async (context) => {
    const workspace = await context.workspace();
    await checkOnlineKeys(workspace);
    await using session = await context.session(workspace);
    const options: ServeOptions = { workspace, session, log: consoleLog(context.progress) };
    if (context.options["once"] === true) {
      const pass = await runPass(options);
      return context.print(describePass(pass), pass);
    }
    context.progress(`serving ${workspace.directory} on ${workspace.settings.broker}; end it with Ctrl-C`);
    await serveFleet(options, context.signal, (pass) => {
      if (isWorthSaying(pass)) context.print(describePass(pass), pass);
    });
  },
};

function isWorthSaying(pass: Pass): boolean {
  return listDone(pass).length > 0;
}

function describePass(pass: Pass): string {
  const done = listDone(pass);
  return done.length === 0 ? "nothing to do: the broker holds what it should" : done.join("; ");
}

/** Only what there was to do. */
function listDone({ renewed, republished, cleared }: Pass): readonly string[] {
  const image = (isDone: boolean): string => (isDone ? "the image repository" : "");
  const done = [
    ["signed again", image(renewed.image), count(renewed.directors, "director")],
    [
      "published again",
      image(republished.image),
      count(republished.directors, "director"),
      count(republished.blobs, "blob"),
    ],
    ["cleared", count(cleared.blobs, "blob"), count(cleared.files, "old file")],
  ];
  return done
    .map(([what = "", ...parts]) => ({ what, parts: parts.filter(Boolean) }))
    .filter(({ parts }) => parts.length > 0)
    .map(({ what, parts }) => `${what}: ${parts.join(", ")}`);
}

function count(many: number, what: string): string {
  return many === 0 ? "" : `${many} ${what}${many === 1 ? "" : "s"}`;
}
