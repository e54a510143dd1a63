// The kept list of operators: it survives a restart, and a damaged one lets nobody in.
import { expect, it } from "vitest";
import { openOperators } from "../../../src/agent/operators.ts";
import { silentLog } from "../../../src/base/log.ts";
import { createOperator, listOperators } from "../../support/commands.ts";
import { createMemoryDisk } from "../../support/memoryDisk.ts";

const anna = listOperators(createOperator("anna", ["*"]));
const bert = listOperators(createOperator("bert", ["boiler/*"]));

it("knows nobody before the first verified list, and the last list after a restart", async () => {
  const disk = createMemoryDisk();
  const operators = await openOperators(disk, "/state", silentLog);
  expect(operators.read()).toBeUndefined();
  await operators.replace(anna);
  await operators.replace(bert);
  expect(operators.read()).toEqual(bert);
  expect((await openOperators(disk, "/state", silentLog)).read()).toEqual(bert);
});

it("writes nothing when the list is the same", async () => {
  const disk = createMemoryDisk();
  const operators = await openOperators(disk, "/state", silentLog);
  await operators.replace(anna);
  disk.failure = new Error("written again");
  await operators.replace(structuredClone(anna));
  await expect(operators.replace(bert)).rejects.toThrow("written again");
});

it.each([
  ["torn", '{"keys":{"k'],
  ["empty", ""],
  ["of another shape", '{"keys":{"k":{"name":"mallory"}}}'],
])("takes a list that is %s as none, and says so", async (_case, text) => {
  const errors: string[] = [];
  const log = { ...silentLog, error: (_fields: unknown, message: string) => void errors.push(message) };
  const disk = createMemoryDisk(new Map([["/state/operators.json", new TextEncoder().encode(text)]]));
  const operators = await openOperators(disk, "/state", log);
  expect(operators.read()).toBeUndefined();
  expect(errors).toEqual(["the list of operators is damaged; it is fetched anew"]);
  await operators.replace(anna);
  expect((await openOperators(disk, "/state", silentLog)).read()).toEqual(anna);
});
