// Builds a ready-made component with the other JavaScript engine, StarlingMonkey, from the same source and WIT.
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
// It comes with jco; the product has no use for it.
import { componentize } from "@bytecodealliance/componentize-js";
import { _addPreopen } from "@bytecodealliance/preview2-shim/filesystem";

const repository = join(import.meta.dirname, "..", "..");

/**
 * One component for each edit of the source. Two builds of one source differ: whoever compares versions builds each once
 * and keeps the bytes.
 */
export async function buildWithStarlingMonkey(
  name: string,
  edits: readonly ((source: string) => string)[],
): Promise<readonly Uint8Array[]> {
  const directory = await mkdtemp(join(tmpdir(), "outstation-bench-"));
  try {
    const witPath = join(directory, "wit");
    await gatherWit(name, witPath);
    const source = await readFile(join(repository, "examples", name, "src", `${name}.ts`), "utf8");
    const sourcePath = join(directory, `${name}.js`);
    // Its WIT reader is a component that sees no directory by itself.
    addPreopen("/", "/");
    const components: Uint8Array[] = [];
    for (const edit of edits) {
      await writeFile(sourcePath, stripTypeScriptTypes(edit(source)));
      const options = { sourcePath, witPath, worldName: name, disableFeatures: [...unused] };
      components.push((await componentize(options)).component);
    }
    return components;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Its types are those of the browser's build. */
const addPreopen = _addPreopen as unknown as (guestPath: string, hostPath: string) => void;

/** What a gateway does not offer. */
const unused = ["http", "fetch-event"] as const;

async function gatherWit(name: string, to: string): Promise<void> {
  await cp(join(repository, "examples", name, "wit"), to, { recursive: true });
  await cp(join(repository, "wit", "deps"), join(to, "deps"), { recursive: true });
  for (const file of await readdir(join(repository, "wit")))
    if (file.endsWith(".wit")) await cp(join(repository, "wit", file), join(to, "deps", "outstation-gateway", file));
}
