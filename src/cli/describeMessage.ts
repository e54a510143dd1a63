// One message of a gateway in words; what is not as it should be is shown as it came.
import { describeError } from "../base/error.ts";
import type { GatewayMessage } from "../operator/gateways.ts";
import { resultSchema } from "../protocol/command.ts";
import { DocumentError, parseValue } from "../protocol/document.ts";
import { indentRest } from "./printable.ts";
import { eventSchema, logSchema, reportedSchema, stateSchema, telemetrySchema } from "../protocol/reports.ts";

/** One line a reading, else one line a message; more lines of one message stand further in. */
export function describeMessage({ topic, document }: GatewayMessage): string {
  try {
    if (topic.startsWith("telemetry/")) return describeReadings(topic.slice("telemetry/".length), document);
    return indentRest(describeKnown(topic, document) ?? describeRaw(topic, document));
  } catch (error) {
    if (error instanceof DocumentError) return indentRest(`${describeRaw(topic, document)}  (${describeError(error)})`);
    throw error;
  }
}

function describeRaw(topic: string, document: unknown): string {
  return `${topic}  ${typeof document === "string" ? document : JSON.stringify(document)}`;
}

function describeKnown(topic: string, document: unknown): string | undefined {
  const [kind = "", ...names] = topic.split("/");
  const source = { what: kind };
  switch (kind) {
    case "state": {
      const { online, agent, components } = parseValue(stateSchema, document, source);
      // As of the connect; how components are now stands in `reported`.
      return `state  ${online ? "online" : "offline"}  agent ${agent}  ${components.join(", ")}`.trimEnd();
    }
    case "reported": {
      const { deployment, desired, phase, refusal, reason } = parseValue(reportedSchema, document, source);
      const why = refusal === undefined ? reason : `${refusal.rule}: ${refusal.seen}`;
      const wanted = desired === deployment ? "" : ` of ${desired}`;
      return `reported  deployment ${deployment}  ${phase}${wanted}${why === undefined ? "" : `  ${why}`}`;
    }
    case "event": {
      const { at, kind, component, detail } = parseValue(eventSchema, document, source);
      return `event  ${kind}  ${component === undefined ? "" : `${component}: `}${detail}  ${at}`;
    }
    case "log": {
      const { at, level, line } = parseValue(logSchema, document, source);
      return `log/${names.join("/")}  ${level}  ${line}  ${at}`;
    }
    case "result": {
      const { command, status, error, refusal } = parseValue(resultSchema, document, source);
      const why = refusal === undefined ? error : `${refusal.rule}: ${refusal.seen}`;
      return `result  ${command}  ${status}${why === undefined ? "" : `  ${why}`}`;
    }
    default:
      return undefined;
  }
}

function describeReadings(stream: string, document: unknown): string {
  const { seq, readings, resent } = parseValue(telemetrySchema, document, { what: `readings of ${stream}` });
  const name = stream.split("/").at(-1);
  const lines = readings.map(({ metric, value, unit, t }, index) => {
    const what = metric === name ? "" : `${metric} `;
    const shown = typeof value === "number" ? String(Math.round(value * 1e6) / 1e6) : JSON.stringify(value);
    const measured = unit === undefined ? shown : `${shown} ${unit}`;
    const again = resent === true ? "  (may have come before)" : "";
    return indentRest(`${stream} #${seq + index}  ${what}${measured}  ${describeTime(t)}${again}`);
  });
  return lines.join("\n");
}

/** The number itself where it is no time that a date can show. */
function describeTime(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms} ms`;
}
