// The real disk behaves like its port says.
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openNodeDisk } from "../../../src/store/nodeDisk.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "outstation-disk-"));
});
afterEach(() => rm(root, { recursive: true }));

it("replaces, lists, reads and removes files, and says when there is none", async () => {
  const disk = await openNodeDisk(root);
  await disk.makeDirectory(join(root, "a/b"));
  const path = join(root, "a/b/file");
  expect(await disk.readFile(path)).toBeUndefined();
  await disk.writeFile(path, Buffer.from("one"));
  await disk.writeFile(path, Buffer.from("two"));
  expect(Buffer.from((await disk.readFile(path)) ?? []).toString()).toBe("two");
  expect(await disk.list(join(root, "a/b"))).toEqual(["file"]);
  await disk.remove(path);
  await disk.remove(path);
  expect(await disk.list(join(root, "a/b"))).toEqual([]);
  expect(await disk.list(join(root, "none"))).toEqual([]);
});

it("leaves no temporary file when a write fails, and removes those a power cut left", async () => {
  await writeFile(join(root, ".file.9.tmp"), "half");
  const disk = await openNodeDisk(root);
  expect(await readdir(root)).toEqual([]);
  await disk.makeDirectory(join(root, "taken"));
  await expect(disk.writeFile(join(root, "taken"), Buffer.from("x"))).rejects.toMatchObject({ code: "EISDIR" });
  expect(await readdir(root)).toEqual(["taken"]);
});

it("preallocates real blocks once and keeps what was written", async () => {
  const disk = await openNodeDisk(root);
  const path = join(root, "segment");
  const size = 600_000;
  {
    await using file = await disk.openFile(path, size);
    await file.write(10, Buffer.from("kept"));
    await file.sync();
  }
  await using file = await disk.openFile(path, size);
  expect(file.sizeBytes).toBe(size);
  expect(Buffer.from(await file.read(10, 4)).toString()).toBe("kept");
  expect(await file.read(size - 2, 10)).toEqual(new Uint8Array(2));
  expect((await stat(path)).blocks * 512).toBeGreaterThanOrEqual(size);
});
