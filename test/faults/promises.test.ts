// What a caller was promised is there after every power cut: commands are carried out once, and readings are kept.
import { describe, expect, it } from "vitest";
import { silentLog } from "../../src/base/log.ts";
import { openCommandJournal } from "../../src/control/journal.ts";
import type { Command, CommandResult } from "../../src/protocol/command.ts";
import { openOutbox } from "../../src/store/outbox.ts";
import { cutEverywhere, directory } from "../support/cutEverywhere.ts";
import { createEagerClock } from "../support/manualClock.ts";

const clock = { ...createEagerClock(), nowMs: () => 1_000_000 };

/** What is still to be told of a command after a boot, by what its caller had been promised. */
const answers = {
  begun: ["interrupted", "succeeded"],
  finished: ["succeeded", "told"],
  published: ["told"],
};

describe("the journal of commands", () => {
  it("never forgets one that may have run, nor the answer of one that did, wherever the power is cut", async () => {
    const command = (jti: string): Command => ({ jti, exp: 5000 }) as Command;
    const result = (id: string): CommandResult =>
      ({ command: id, status: "succeeded", at: "2027-01-01T00:00:00.000Z" }) as CommandResult;
    type Known = Readonly<Record<string, keyof typeof answers>>;
    const cuts = await cutEverywhere<Known>(
      async (disk, promise) => {
        const journal = await openCommandJournal(disk, directory, clock);
        let known: Known = {};
        const note = (id: string, state: Known[string]): void => promise((known = { ...known, [id]: state }));
        for (const id of ["a", "b", "c"]) {
          await journal.begin(command(id));
          note(id, "begun");
          await journal.finish(id, result(id));
          note(id, "finished");
          if (id === "b") continue;
          await journal.published(id);
          note(id, "published");
        }
      },
      async (disk, known = {}) => {
        const journal = await openCommandJournal(disk, directory, clock);
        const pending = new Map(journal.pendingResults().map(({ command, status }) => [command, status]));
        for (const [id, state] of Object.entries(known)) {
          expect(await journal.begin(command(id))).toBe("repeated");
          expect(answers[state]).toContain(pending.get(id) ?? "told");
        }
      },
    );
    expect(cuts).toBeGreaterThan(60);
  });
});

describe("the outbox", () => {
  it("keeps every reading whose append resolved until it is acknowledged, wherever the power is cut", async () => {
    interface Kept {
      readonly appended: readonly string[];
      readonly durable: number;
      readonly acknowledged: number;
    }
    const options = { clock, log: silentLog, segmentBytes: 256, totalBytes: 2048 };
    const cuts = await cutEverywhere<Kept>(
      async (disk, promise) => {
        const outbox = await openOutbox(disk, directory, options);
        let kept: Kept = { appended: [], durable: 0, acknowledged: 0 };
        for (let round = 1; round <= 12; round += 1) {
          const texts = [1, 2].map((n) => `${round}-${n}`.padEnd(10 + round * 3, "."));
          promise((kept = { ...kept, appended: [...kept.appended, ...texts] }));
          await Promise.all(texts.map((text) => outbox.append(Buffer.from(text))));
          promise((kept = { ...kept, durable: kept.appended.length }));
          if (round % 4 !== 0) continue;
          await outbox.acknowledge(round);
          promise((kept = { ...kept, acknowledged: round }));
        }
      },
      async (disk, kept = { appended: [], durable: 0, acknowledged: 0 }) => {
        const outbox = await openOutbox(disk, directory, options);
        const texts: string[] = [];
        let sequence = 0;
        for (let records = await outbox.peek(3, 1000); records.length > 0; records = await outbox.peek(3, 1000)) {
          for (const record of records) texts.push(Buffer.from(record.payload).toString());
          sequence = records.at(-1)?.sequence ?? 0;
          await outbox.acknowledge(sequence);
        }
        const first = kept.appended.indexOf(texts[0] ?? "");
        expect(texts).toEqual(texts.length === 0 ? [] : kept.appended.slice(first, first + texts.length));
        const through = texts.length === 0 ? kept.acknowledged : first + texts.length;
        expect(through).toBeGreaterThanOrEqual(kept.durable);
        expect(outbox.counters.dropped).toEqual({ full: 0, damaged: 0 });
      },
    );
    expect(cuts).toBeGreaterThan(200);
  });
});
