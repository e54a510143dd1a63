// Builds a TypeScript component with jco's QuickJS backend: `node examples/build.ts boiler out.wasm`.
import { existsSync } from "node:fs";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
// jco's own command cannot be used yet: it starts without preopens and cannot read the WIT (docs/decisions/0003).
import { componentize } from "componentize-qjs";

const repository = join(import.meta.dirname, "..");

export interface BuildOptions {
  /** One ES module, TypeScript or JavaScript. */
  readonly source: string;
  /** The directory with the component's own `.wit` file. */
  readonly witDirectory: string;
}

/** Assembles the component's WIT with the gateway's and WASI's packages, and builds it. Rejects with the builder's words. */
export async function buildComponent({ source, witDirectory }: BuildOptions): Promise<Uint8Array> {
  const wit = await mkdtemp(join(tmpdir(), "outstation-wit-"));
  try {
    await cp(witDirectory, wit, { recursive: true });
    await cp(join(repository, "wit", "deps"), join(wit, "deps"), { recursive: true });
    for (const file of await readdir(join(repository, "wit"))) {
      if (file.endsWith(".wit")) await cp(join(repository, "wit", file), join(wit, "deps", "outstation-gateway", file));
    }
    const { component } = await componentize({
      witPath: wit,
      jsSource: stripTypeScriptTypes(source),
      sync: true,
      optSize: true,
    });
    return component;
  } finally {
    await rm(wit, { recursive: true, force: true });
  }
}

/** A ready-made component by the name of its directory; `edit` may change its source first. */
export async function buildExample(name: string, edit = (source: string): string => source): Promise<Uint8Array> {
  const directory = join(import.meta.dirname, name);
  const source = await readFile(sourceOf(name), "utf8");
  return buildComponent({ source: edit(source), witDirectory: join(directory, "wit") });
}

function sourceOf(name: string): string {
  return join(import.meta.dirname, name, "src", `${name}.ts`);
}

if (import.meta.main) {
  const [name, out] = process.argv.slice(2);
  if (name === undefined || out === undefined) {
    console.error("usage: node examples/build.ts <example> <out.wasm>");
    process.exit(2);
  }
  if (!existsSync(sourceOf(name))) {
    console.error(`There is no example ${name}: its source would be ${sourceOf(name)}`);
    process.exit(1);
  }
  await writeFile(out, await buildExample(name));
  console.log(`${out} is built`);
}
