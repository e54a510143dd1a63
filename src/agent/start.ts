#!/usr/bin/env node
// Where `outstationd` starts: an older Node.js is told what is missing before it loads what it cannot.
import { refuseNode } from "../base/nodeVersion.ts";

const refused = refuseNode(process.versions.node);
if (refused === undefined) await import("./main.ts");
else {
  process.stderr.write(`outstationd: ${refused}\n`);
  process.exitCode = 78;
}
