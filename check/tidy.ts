// Refuses what the architecture forbids: wrong imports, powers out of place, long files, missing headlines, leftovers.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { dependencies, guardedExports, layers, powers } from "./tables.ts";

const maxLines = 300;
const root = new URL("..", import.meta.url).pathname;
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"));

const findings = files.flatMap((file) => inspect(file, readFileSync(join(root, file), "utf8")));
for (const finding of findings) console.error(finding);
if (findings.length > 0) process.exit(1);
console.log(`tidy: ${files.length} files follow the tables of ARCHITECTURE.md`);

function inspect(file: string, text: string): string[] {
  const found = [...inspectShape(file, text)];
  if (!file.endsWith(".ts")) return found;
  const product = file.startsWith("src/") || file.startsWith("devices/");
  const code = text.replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, "");
  if (product) found.push(...inspectImports(file, code), ...inspectPowers(file, code));
  return found;
}

function inspectShape(file: string, text: string): string[] {
  const found: string[] = [];
  const lines = text.split("\n").length - 1;
  if (lines > maxLines) found.push(`${file}: ${lines} lines; split it by noun or verb (at most ${maxLines})`);
  if (!/^(#!.*\n)?(\/\/|\/\/\/) ./.test(text) && !file.endsWith(".config.ts"))
    found.push(`${file}: the first line must say in one sentence what the file is for`);
  if (/\b(TODO|FIXME|HACK)\b/.test(text) && file !== "check/tidy.ts") found.push(`${file}: unfinished work is marked`);
  return found;
}

function inspectImports(file: string, code: string): string[] {
  const own = directoryOf(file);
  const found: string[] = [];
  for (const specifier of importsOf(code)) {
    if (specifier.startsWith(".")) {
      const target = directoryOf(normalize(join(dirname(file), specifier)));
      if (target !== own && !layers[own]?.includes(target)) found.push(`${file}: ${own} may not import ${target}`);
      continue;
    }
    const name = packageOf(specifier);
    if (specifier.startsWith("node:")) continue;
    const places = dependencies[name];
    if (places === undefined) found.push(`${file}: ${name} is not in the dependency table`);
    else if (!isAllowed(file, places)) found.push(`${file}: ${name} may be imported only in ${places.join(", ")}`);
  }
  for (const [name, places] of Object.entries(guardedExports)) {
    const imported = new RegExp(`import [^;]*\\b${name}\\b[^;]* from`).test(code);
    if (imported && !places.includes(file)) found.push(`${file}: ${name} may be imported only in ${places.join(", ")}`);
  }
  return found;
}

function inspectPowers(file: string, code: string): string[] {
  const found: string[] = [];
  const specifiers = importsOf(code);
  for (const power of powers) {
    if (isAllowed(file, power.allowed)) continue;
    for (const module of power.modules)
      if (specifiers.includes(module)) found.push(`${file}: ${module} (${power.name}) is not for this file`);
    for (const name of power.globals)
      if (usesGlobal(code, name)) found.push(`${file}: ${name} (${power.name}) is not for this file`);
  }
  return found;
}

function usesGlobal(code: string, name: string): boolean {
  const escaped = name.replaceAll(/[.()]/g, "\\$&");
  return new RegExp(`(?<![\\w.#"'\`/-])${escaped}${/\w$/.test(name) ? "\\b(?!\\s*:|[\"'])" : ""}`).test(code);
}

function importsOf(code: string): string[] {
  const pattern = /(?:from\s+|import\s*\(\s*|import\s+|import\.meta\.resolve\(\s*)"([^"]+)"/g;
  return [...code.matchAll(pattern)].map((match) => match[1] ?? "");
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function directoryOf(file: string): string {
  const parts = file.split("/");
  return parts[0] === "src" ? parts.slice(0, 2).join("/") : (parts[0] ?? "");
}

function isAllowed(file: string, places: readonly string[]): boolean {
  return places.some((place) => file === place || file.startsWith(`${place}/`));
}
