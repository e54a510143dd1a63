// The durable memory of commands: what was begun is never begun again, and what was finished is answered, also after a power cut.
import type { Clock } from "../base/clock.ts";
import type { Disk } from "../base/disk.ts";
import { OutstationError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Command, CommandResult } from "../protocol/command.ts";
import { parseEntry } from "./journalEntry.ts";
import type { JournalEntry } from "./journalEntry.ts";

export class JournalError extends OutstationError<"not-begun"> {}

export interface CommandJournal {
  /** Resolves with "new" once the command is on disk as begun; only then may it run. "full": no room for another id. */
  begin(command: Command): Promise<"new" | "repeated" | "full">;
  /** What is remembered of a command that did begin; the result while it is kept. */
  recall(id: string): { readonly running: boolean; readonly result?: CommandResult } | undefined;
  /** Resolves once the result is on disk; from then on it is answered whatever happens. */
  finish(id: string, result: CommandResult): Promise<void>;
  /** Finished and not yet published, oldest first; begun before the last boot and never finished counts as "interrupted". */
  pendingResults(): readonly CommandResult[];
  /** The result is with the broker. */
  published(id: string): Promise<void>;
}

/**
 * One small file a command in `directory`, replaced whole at each step. An id is remembered until its token can no
 * longer be accepted and its answer is out; when there are too many, new commands are refused, never old ids forgotten.
 */
export async function openCommandJournal(disk: Disk, directory: string, clock: Clock): Promise<CommandJournal> {
  await disk.makeDirectory(directory);
  const entries = await loadEntries(disk, directory, clock.nowMs());
  const save = (id: string, entry: JournalEntry): Promise<void> => {
    entries.set(id, entry);
    return disk.writeFile(fileOf(directory, id), new TextEncoder().encode(JSON.stringify(entry)));
  };
  const requireEntry = (id: string): JournalEntry => {
    const entry = entries.get(id);
    if (entry === undefined) throw new JournalError("not-begun", `The command ${id} was never begun.`);
    return entry;
  };
  const forgetStale = async (): Promise<void> => {
    const stale = [...entries].filter(([, entry]) => entry.published && entry.untilMs <= clock.nowMs());
    for (const [id] of stale) entries.delete(id);
    for (const [id] of stale) await disk.remove(fileOf(directory, id));
  };
  await forgetStale();

  return {
    begin: async (command) => {
      if (entries.has(command.jti)) return "repeated";
      // In memory at once, so that a second copy of the token finds it however slow the disk is.
      const entry = { untilMs: command.exp * 1000 + limits.command.skewMs, published: false };
      entries.set(command.jti, entry);
      try {
        await forgetStale();
        if (entries.size > limits.command.remembered) {
          entries.delete(command.jti);
          return "full";
        }
        await save(command.jti, entry);
      } catch (error) {
        entries.delete(command.jti);
        throw error;
      }
      return "new";
    },
    recall: (id) => {
      const entry = entries.get(id);
      if (entry === undefined) return undefined;
      if (entry.result === undefined) return { running: !entry.published };
      return { running: false, result: entry.result };
    },
    finish: async (id, result) => save(id, { ...requireEntry(id), result }),
    pendingResults: () =>
      [...entries.values()]
        .flatMap(({ published, result }) => (published || result === undefined ? [] : [result]))
        .sort((one, other) => one.at.localeCompare(other.at)),
    published: async (id) => {
      const { result, ...entry } = requireEntry(id);
      // An answer given again changes nothing, and must not wear the flash.
      if (entry.published) return;
      const isKept = result !== undefined && JSON.stringify(result).length <= limits.command.keptAnswerBytes;
      await save(id, { ...entry, published: true, ...(isKept ? { result } : {}) });
    },
  };
}

async function loadEntries(disk: Disk, directory: string, nowMs: number): Promise<Map<string, JournalEntry>> {
  const entries = new Map<string, JournalEntry>();
  for (const name of await disk.list(directory)) {
    if (!name.endsWith(suffix)) continue;
    const id = name.slice(0, -suffix.length);
    const bytes = await disk.readFile(fileOf(directory, id));
    if (bytes === undefined) continue;
    const entry = parseEntry(bytes, nowMs);
    const isCut = entry.result === undefined && !entry.published;
    entries.set(id, isCut ? { ...entry, result: interrupted(id, nowMs) } : entry);
  }
  return entries;
}

function interrupted(id: string, nowMs: number): CommandResult {
  return {
    command: id,
    status: "interrupted",
    error: "The gateway stopped while the command ran; it may have taken effect or not.",
    at: new Date(nowMs).toISOString(),
  };
}

const suffix = ".json";

/** Ids are letters, digits, "-" and "_" by their schema: safe as a file name. */
function fileOf(directory: string, id: string): string {
  return `${directory}/${id}${suffix}`;
}
