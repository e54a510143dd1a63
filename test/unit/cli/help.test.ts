// The help of every command, word for word; OUTSTATION_GOLDEN=write makes the files anew.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCommand } from "../../support/commandLine.ts";

const directory = import.meta.dirname;
const commands = ["init", "release", "deploy", "status", "watch", "command", "why", "logs", "serve"];
const groups = {
  keys: ["list", "create", "encrypt", "rotate", "revoke"],
  root: ["sign", "merge", "renew", "publish"],
  targets: ["sign", "merge", "renew"],
  publisher: ["add", "remove", "list"],
} as const;
const grouped = Object.entries(groups).flatMap(([group, verbs]) => verbs.map((verb) => [group, verb] as const));

async function expectGolden(name: string, text: string): Promise<void> {
  const file = join(directory, "golden", `${name}.txt`);
  if (process.env["OUTSTATION_GOLDEN"] === "write") await writeFile(file, text);
  expect(text).toBe(await readFile(file, "utf8"));
}

describe("help", () => {
  it.each([
    ["outstation", []],
    ["outstation", ["--help"]],
    ["outstation", ["help"]],
  ] as const)("is what %s %j prints", async (program, args) => {
    const { code, stdout, stderr } = await runCommand(program, args, { directory });
    expect([code, stderr]).toEqual([0, ""]);
    await expectGolden("outstation", stdout);
  });

  it.each(commands)("teaches %s", async (command) => {
    const { code, stdout, stderr } = await runCommand("outstation", [command, "--help"], { directory });
    expect([code, stderr]).toEqual([0, ""]);
    await expectGolden(`outstation-${command}`, stdout);
  });

  it.each(Object.entries(groups))("teaches %s and names each of its commands", async (group, verbs) => {
    const { code, stdout, stderr } = await runCommand("outstation", [group, "--help"], { directory });
    expect([code, stderr]).toEqual([0, ""]);
    const listed = [...stdout.matchAll(/^  outstation [a-z]+ ([a-z]+)  +\S/gm)].map((match) => match[1]);
    expect(listed).toEqual(verbs);
    await expectGolden(`outstation-${group}`, stdout);
  });

  it.each(grouped)("teaches %s %s", async (group, verb) => {
    const { code, stdout, stderr } = await runCommand("outstation", [group, verb, "--help"], { directory });
    expect([code, stderr]).toEqual([0, ""]);
    await expectGolden(`outstation-${group}-${verb}`, stdout);
  });

  it("names every command", async () => {
    const { stdout } = await runCommand("outstation", ["--help"], { directory });
    const listed = [...stdout.matchAll(/^  ([a-z]+)  +\S/gm)].map((match) => match[1]);
    expect(listed).toEqual([...commands, ...Object.keys(groups)]);
  });

  it("teaches outstationd", async () => {
    const { code, stdout, stderr } = await runCommand("outstationd", ["--help"], { directory });
    expect([code, stderr]).toEqual([0, ""]);
    await expectGolden("outstationd", stdout);
    expect(await runCommand("outstationd", [], { directory })).toMatchObject({ code: 2, stdout: "" });
  });

  it("leaves no line wider than a terminal", async () => {
    const subjects = [...commands, ...Object.keys(groups), ...grouped.map((words) => words.join("-"))];
    for (const name of ["outstation", "outstationd", ...subjects.map((subject) => `outstation-${subject}`)]) {
      const text = await readFile(join(directory, "golden", `${name}.txt`), "utf8");
      expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120);
    }
  });
});
