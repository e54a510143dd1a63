// The agent's log: one JSON object a line on stdout, which journald takes as it is.
import { pino } from "pino";
import type { Log } from "../base/log.ts";

export function createLog(level: string): Log {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime });
}
