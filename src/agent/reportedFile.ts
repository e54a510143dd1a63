// What was last reported, kept on the disk: for a person on the gateway when no broker is reached or no agent runs.
import { join } from "node:path";
import * as v from "valibot";
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Disk } from "../base/disk.ts";
import type { Log } from "../base/log.ts";
import { DocumentError, parseDocument } from "../protocol/document.ts";
import { type ReportedDocument, reportedSchema } from "../protocol/reports.ts";

const keptSchema = v.object({
  reported: reportedSchema,
  /** The last refusal or rollback that nothing newer was committed over. */
  trouble: v.optional(reportedSchema),
});
export type KeptReport = v.InferOutput<typeof keptSchema>;

export interface ReportedFile {
  /** Written at once when phase or deployment changed, and after a while when only components did. Never throws. */
  keep(reported: ReportedDocument): void;
  /** Resolves when everything that was to be kept is on the disk; what comes later is not kept. */
  close(): Promise<void>;
}

/** What is there; undefined when nothing was ever reported, or the disk damaged it. */
export async function readKept(disk: Pick<Disk, "readFile">, directory: string): Promise<KeptReport | undefined> {
  const bytes = await disk.readFile(join(directory, "reported.json"));
  if (bytes === undefined) return undefined;
  try {
    return parseDocument(keptSchema, bytes, { what: "kept report" });
  } catch (error) {
    if (error instanceof DocumentError) return undefined;
    throw error;
  }
}

export async function openReportedFile(
  disk: Disk,
  directory: string,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<ReportedFile> {
  let kept = await readKept(disk, directory);
  let written = standingOf(kept?.reported);
  let writing: Promise<void> = Promise.resolve();
  let cancel: (() => void) | undefined;
  let isDue = false;
  let isClosed = false;
  const write = (): void => {
    cancel?.();
    cancel = undefined;
    isDue = false;
    const document = kept;
    if (document === undefined) return;
    written = standingOf(document.reported);
    const bytes = new TextEncoder().encode(JSON.stringify(document));
    writing = writing
      .then(() => disk.writeFile(join(directory, "reported.json"), bytes))
      .catch((error: unknown) => log.error({ reason: describeError(error) }, "the last report is not kept"));
  };
  return {
    keep: (reported) => {
      if (isClosed) return;
      kept = { reported, ...troubleOf(reported, kept?.trouble) };
      if (standingOf(reported) !== written) return write();
      isDue = true;
      cancel ??= clock.after(limits.reported.keepMs, write);
    },
    close: async () => {
      isClosed = true;
      if (isDue) write();
      await writing;
    },
  };
}

/** All but the components and the time. */
function standingOf(reported: ReportedDocument | undefined): string {
  if (reported === undefined) return "";
  const { deployment, desired, phase, refusal, reason } = reported;
  return JSON.stringify([deployment, desired, phase, refusal, reason]);
}

/** Trouble with a deployment is over when that or a later one is committed; a boot alone does not end it. */
function troubleOf(reported: ReportedDocument, before: ReportedDocument | undefined): Pick<KeptReport, "trouble"> {
  if (reported.phase === "refused" || reported.phase === "rolled-back") return { trouble: reported };
  const isOver = before === undefined || (reported.phase === "committed" && reported.deployment >= before.desired);
  return isOver ? {} : { trouble: before };
}
