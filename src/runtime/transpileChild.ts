// A short-lived process that turns a component into JavaScript and core modules, so that its 100-200 MB go back.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { transpileBytes } from "@bytecodealliance/jco-transpile";
import { componentWit } from "@bytecodealliance/jco-transpile/wasm-tools";
import { describeError } from "../base/error.ts";
import { listPromisingExports, listSuspendingImports } from "./interfaces.ts";

/** Parent to child: first the component to look at, then, once admitted, the word to go on. */
export type TranspileRequest =
  | { readonly kind: "inspect"; readonly componentPath: string }
  | { readonly kind: "transpile"; readonly outDirectory: string };

/** Child to parent. */
export type TranspileAnswer =
  | { readonly kind: "inspected"; readonly wit: string }
  | { readonly kind: "transpiled"; readonly files: readonly string[] }
  | { readonly kind: "failed"; readonly message: string };

let component: Uint8Array | undefined;

process.on("message", (request: TranspileRequest) => {
  answer(request).then(send, (error: unknown) => send({ kind: "failed", message: describeError(error) }));
});

async function answer(request: TranspileRequest): Promise<TranspileAnswer> {
  if (request.kind === "inspect") {
    component = await readFile(request.componentPath);
    return { kind: "inspected", wit: await componentWit(component) };
  }
  if (component === undefined) throw new Error("inspect comes before transpile");
  return { kind: "transpiled", files: await writeTranspiled(component, request.outDirectory) };
}

async function writeTranspiled(bytes: Uint8Array, directory: string): Promise<readonly string[]> {
  const { files } = await transpileBytes(bytes, {
    name: "component",
    instantiation: "async",
    asyncMode: "jspi",
    asyncImports: listSuspendingImports(),
    asyncExports: listPromisingExports(),
    emitTypescriptDeclarations: false,
    wasiShim: false,
  });
  // .mjs, because the cache directory has no package.json that would say what a .js is.
  const names = Object.keys(files).map((name) => name.replace(/\.js$/, ".mjs"));
  for (const [index, content] of Object.values(files).entries())
    await writeFile(join(directory, names[index] ?? ""), content);
  return names;
}

function send(message: TranspileAnswer): void {
  process.send?.(message);
}
