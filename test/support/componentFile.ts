// A component's bytes as the file that the runtime is given; gone when it is disposed of.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256Hex } from "../../src/base/hash.ts";
import type { ComponentFile } from "../../src/runtime/cache.ts";
import { createTemporaryDirectory } from "./temporaryDirectory.ts";

export async function writeComponent(bytes: Uint8Array): Promise<ComponentFile & AsyncDisposable> {
  const directory = await createTemporaryDirectory();
  const path = join(directory.path, "component.wasm");
  await writeFile(path, bytes);
  return { sha256: sha256Hex(bytes), path, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}
