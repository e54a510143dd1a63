// Transpiled components on disk, by component hash and jco version; a directory is there whole or not at all.
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { sha256Hex } from "../base/hash.ts";
import { isRefusal, refuse, type Refusal } from "../protocol/refusal.ts";
import { RuntimeFailure } from "./error.ts";
import { parseShape, type ComponentShape } from "./shape.ts";
import { startTranspileRun } from "./transpile.ts";

/** Changes whenever the generated code would: the version of jco-transpile and of our options. */
export const generation = "jco-0.15.0-1";
const manifestName = "manifest.json";

export interface TranspiledComponent {
  readonly shape: ComponentShape;
  /** URL of the ES module with `instantiate`. */
  readonly moduleUrl: string;
  /** Core module name to its bytes. */
  readonly coreModules: ReadonlyMap<string, Uint8Array>;
}

/** A file with the component's bytes; the transpile process reads it, so that they are never in this one. */
export interface ComponentFile {
  readonly sha256: string;
  readonly path: string;
}

export interface TranspileCache {
  /**
   * Gives the transpiled component, from disk or by transpiling it now. `admit` sees the component's shape before
   * anything is transpiled and may refuse. Bytes that are not a component are refused as "admission.malformed".
   */
  prepare<Admitted>(
    component: ComponentFile,
    admit: (shape: ComponentShape) => Admitted | Refusal,
  ): Promise<{ readonly transpiled: TranspiledComponent; readonly admitted: Admitted } | Refusal>;
  /** Removes everything but these components. */
  prune(keep: ReadonlySet<string>): Promise<void>;
}

/** Opens the cache directory. What it holds can always be made again: nothing is fsynced, everything is hashed on load. */
export async function openTranspileCache(
  directory: string,
  clock: Clock,
  deadlineMs: number = limits.component.transpileMs,
): Promise<TranspileCache> {
  await mkdir(directory, { recursive: true });
  for (const name of await readdir(directory)) {
    if (!name.endsWith(`.${generation}`)) await rm(join(directory, name), { recursive: true, force: true });
  }
  const pathOf = (sha256: string): string => join(directory, `${sha256}.${generation}`);
  return {
    prepare: async (component, admit) => {
      const cached = await loadTranspiled(pathOf(component.sha256));
      if (cached !== undefined) {
        const admitted = admit(cached.shape);
        return isRefusal(admitted) ? admitted : { transpiled: cached, admitted };
      }
      return transpileInto(directory, pathOf(component.sha256), { component, admit, clock, deadlineMs });
    },
    prune: async (keep) => {
      for (const name of await readdir(directory)) {
        const sha256 = name.split(".", 1)[0] ?? "";
        if (!keep.has(sha256)) await rm(join(directory, name), { recursive: true, force: true });
      }
    },
  };
}

interface TranspileJob<Admitted> {
  readonly component: ComponentFile;
  readonly admit: (shape: ComponentShape) => Admitted | Refusal;
  readonly clock: Clock;
  readonly deadlineMs: number;
}

async function transpileInto<Admitted>(
  directory: string,
  target: string,
  { component, admit, clock, deadlineMs }: TranspileJob<Admitted>,
): Promise<{ readonly transpiled: TranspiledComponent; readonly admitted: Admitted } | Refusal> {
  const scratch = await mkdtemp(join(directory, "making-"));
  using run = startTranspileRun(clock, deadlineMs);
  try {
    const wit = await run.inspect(component.path);
    const admitted = admit(parseShape(wit));
    if (isRefusal(admitted)) return admitted;
    await run.transpile(scratch);
    await writeFile(join(scratch, "component.wit"), wit);
    await writeFile(join(scratch, manifestName), JSON.stringify(await hashFiles(scratch)));
    await rm(target, { recursive: true, force: true });
    await rename(scratch, target);
    const transpiled = await loadTranspiled(target);
    if (transpiled === undefined) throw new RuntimeFailure("cache-corrupt", `${target} vanished while it was made.`);
    return { transpiled, admitted };
  } catch (error) {
    if (!(error instanceof RuntimeFailure)) throw error;
    return refuseUnprepared(error);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What the component's bytes are to blame for is a refusal; what this machine is to blame for is thrown. */
function refuseUnprepared(failure: RuntimeFailure): Refusal {
  switch (failure.code) {
    case "not-a-component":
    case "transpile-failed":
      return refuse(
        "admission.malformed",
        failure.message,
        "Build it again, as a component; a core module is not one.",
      );
    case "transpile-ended":
      return refuse(
        "admission.limits",
        failure.message,
        "Make the component smaller, or deploy again to try once more.",
      );
    case "cache-corrupt":
    case "stopped":
      throw failure;
  }
}

/** Undefined when it is not there, or when a power cut left a file torn: it is then made anew. */
async function loadTranspiled(path: string): Promise<TranspiledComponent | undefined> {
  const manifest = await readFile(join(path, manifestName), "utf8").catch(() => undefined);
  if (manifest === undefined || manifest !== JSON.stringify(await hashFiles(path))) return undefined;
  const modules = (await readdir(path)).filter((name) => name.endsWith(".wasm"));
  const coreModules = new Map<string, Uint8Array>();
  for (const name of modules) coreModules.set(name, await readFile(join(path, name)));
  return {
    shape: parseShape(await readFile(join(path, "component.wit"), "utf8")),
    moduleUrl: pathToFileURL(join(path, "component.mjs")).href,
    coreModules,
  };
}

async function hashFiles(path: string): Promise<Record<string, string>> {
  const names = (await readdir(path)).filter((name) => name !== manifestName).sort();
  const hashes: Record<string, string> = {};
  for (const name of names) hashes[name] = sha256Hex(await readFile(join(path, name)));
  return hashes;
}
