// The help of every command, word for word; OUTSTATION_GOLDEN=write makes the files anew.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCommand } from "../../support/commandLine.ts";

const directory = import.meta.dirname;
const commands = ["init", "release", "deploy", "status", "watch", "command", "why", "logs"];

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

  it("names every command", async () => {
    const { stdout } = await runCommand("outstation", ["--help"], { directory });
    const listed = [...stdout.matchAll(/^  ([a-z]+)  +\S/gm)].map((match) => match[1]);
    expect(listed).toEqual(commands);
  });

  it("teaches outstationd", async () => {
    const { code, stdout, stderr } = await runCommand("outstationd", ["--help"], { directory });
    expect([code, stderr]).toEqual([0, ""]);
    await expectGolden("outstationd", stdout);
    expect(await runCommand("outstationd", [], { directory })).toMatchObject({ code: 2, stdout: "" });
  });

  it("leaves no line wider than a terminal", async () => {
    for (const name of ["outstation", "outstationd", ...commands.map((command) => `outstation-${command}`)]) {
      const text = await readFile(join(directory, "golden", `${name}.txt`), "utf8");
      expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120);
    }
  });
});
