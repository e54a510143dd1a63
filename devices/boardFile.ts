// The board file: which named port is which device, real or simulated; anything unclear in it is refused.
import * as v from "valibot";
import { DeviceError } from "./error.ts";
import { deviceLimits } from "./limits.ts";

const { ports, hardware, fileBytes } = deviceLimits.board;

const portName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, "expected a name of a-z, 0-9, '.', '_' or '-', at most 64 long"),
);
const wholeNumber = v.pipe(v.number(), v.integer("expected a whole number"), v.minValue(0, "expected 0 or more"));
const periodMs = v.pipe(
  v.number(),
  v.minValue(10, "expected at least 10 (milliseconds)"),
  v.maxValue(86_400_000, "expected at most 86400000 (one day)"),
);
const direction = v.picklist(["in", "out"], 'expected "in" or "out"');

const realSerial = v.strictObject({
  path: v.pipe(v.string(), v.startsWith("/", 'expected an absolute path such as "/dev/serial/by-id/…"')),
  baudRate: v.optional(v.pipe(wholeNumber, v.minValue(50), v.maxValue(4_000_000)), 9600),
  dataBits: v.optional(v.picklist([7, 8], "expected 7 or 8"), 8),
  stopBits: v.optional(v.picklist([1, 2], "expected 1 or 2"), 1),
  parity: v.optional(v.picklist(["none", "even", "odd"], 'expected "none", "even" or "odd"'), "none"),
});

const lineThermometer = v.strictObject({
  simulated: v.literal("line-thermometer"),
  options: v.optional(
    v.strictObject({
      /** Same seed, same temperatures. */
      seed: v.optional(wholeNumber, 1),
      /** What the temperature wanders around. */
      celsius: v.optional(v.pipe(v.number(), v.minValue(-270), v.maxValue(2000)), 60),
      /** Also sends a reading by itself at this period. */
      everyMs: v.optional(periodMs),
    }),
    {},
  ),
});
const simulatedSerial = v.variant("simulated", [lineThermometer], 'expected the part "line-thermometer"');

const realGpio = v.pipe(
  v.strictObject({
    line: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(deviceLimits.gpio.nameBytes - 1))),
    chip: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(deviceLimits.gpio.nameBytes - 1))),
    offset: v.optional(wholeNumber),
    direction,
    activeLow: v.optional(v.boolean(), false),
    bias: v.optional(v.picklist(["none", "pull-up", "pull-down"], 'expected "none", "pull-up" or "pull-down"'), "none"),
    debounceUs: v.optional(v.pipe(wholeNumber, v.maxValue(10_000_000)), 0),
  }),
  v.check(
    (port) => port.line !== undefined || (port.chip !== undefined && port.offset !== undefined),
    'a GPIO port needs "line" (its name), or "chip" and "offset"',
  ),
  v.check((port) => (port.chip === undefined) === (port.offset === undefined), '"chip" and "offset" go together'),
);

const relay = v.strictObject({ simulated: v.literal("relay"), direction: v.literal("out", "a relay is an output") });
const button = v.strictObject({
  simulated: v.literal("button"),
  direction: v.literal("in", "a button is an input"),
  /** Pressed and released by itself: each level lasts this long. */
  options: v.optional(v.strictObject({ everyMs: v.optional(periodMs) }), {}),
});
const simulatedGpio = v.variant("simulated", [relay, button], 'expected the part "relay" or "button"');

const portsOf = <Port extends v.GenericSchema>(port: Port) =>
  v.pipe(
    v.record(portName, port),
    v.check((all) => Object.keys(all).length <= ports, `at most ${ports} ports of a kind`),
  );

const hardwareName = v.pipe(v.string(), v.minLength(1, "expected a name"), v.maxLength(hardware.nameLength));

const boardFileSchema = v.strictObject({
  /** What this gateway is, for releases that run on certain hardware only: "pi-4", "acme-gw-2". */
  hardware: v.optional(
    v.pipe(v.array(hardwareName), v.maxLength(hardware.names, `at most ${hardware.names} names`)),
    [],
  ),
  serial: v.optional(portsOf(v.lazy((port) => (isSimulated(port) ? simulatedSerial : realSerial))), {}),
  gpio: v.optional(portsOf(v.lazy((port) => (isSimulated(port) ? simulatedGpio : realGpio))), {}),
  /** Where the simulated parts write what happens to them, one JSON line an event. */
  trace: v.optional(v.pipe(v.string(), v.minLength(1, "expected a path"))),
});

export type BoardFile = v.InferOutput<typeof boardFileSchema>;
export type SerialEntry = BoardFile["serial"][string];
export type GpioEntry = BoardFile["gpio"][string];

/** Parses the text of a board file; throws DeviceError "invalid" with the path of the first thing that is wrong. */
export function parseBoardFile(text: string): BoardFile {
  if (text.length > fileBytes) throw invalid(`it is longer than ${fileBytes} characters.`);
  const result = v.safeParse(boardFileSchema, parseJson(text), { abortEarly: true });
  if (result.success) return result.output;
  throw invalid(describeIssue(result.issues[0]));
}

function isSimulated(port: unknown): boolean {
  return typeof port === "object" && port !== null && "simulated" in port;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text, refuseLists);
  } catch (cause) {
    if (cause instanceof DeviceError) throw cause;
    throw invalid(`it is not JSON (${cause instanceof Error ? cause.message : String(cause)}).`, cause);
  }
}

/** But for the names of the hardware nothing in a board file is a list, and a schema takes an empty one for an object. */
function refuseLists(key: string, value: unknown): unknown {
  if (Array.isArray(value) && key !== "hardware")
    throw invalid(`${key === "" ? "at the top" : `at "${key}"`}: expected an object, not a list.`);
  return value;
}

function invalid(what: string, cause?: unknown): DeviceError {
  return new DeviceError("invalid", `The board file is not valid: ${what}`, { cause });
}

const knownKeys = [
  ...new Set(
    [boardFileSchema, realSerial, realGpio, lineThermometer, lineThermometer.entries.options.wrapped, button].flatMap(
      (schema) => Object.keys("pipe" in schema ? schema.pipe[0].entries : schema.entries),
    ),
  ),
];

function describeIssue(issue: v.BaseIssue<unknown>): string {
  const keys = issue.path?.map((item) => String(item.key)) ?? [];
  const where = keys.length === 0 ? "at the top" : `at "${keys.join(".")}"`;
  if (issue.type !== "strict_object" || issue.expected !== "never") return `${where}: ${issue.message}.`;
  const parent = issue.path?.at(-1)?.input;
  const key = keys.at(-1) ?? "";
  if (isSimulated(parent) && knownKeys.includes(key))
    return `${where}: a port is either simulated or real; remove "simulated" or "${key}".`;
  const meant = knownKeys.find((known) => isOneSlipAway(key.toLowerCase(), known.toLowerCase()));
  return `${where}: no such key is known${meant === undefined ? "." : `; did you mean "${meant}"?`}`;
}

/** Equal but for case, or after one letter is added, left out, changed, or swapped with its neighbour. */
function isOneSlipAway(typed: string, known: string): boolean {
  let same = 0;
  while (same < typed.length && typed[same] === known[same]) same += 1;
  const rest = typed.slice(same);
  const knownRest = known.slice(same);
  return (
    rest === knownRest ||
    rest.slice(1) === knownRest ||
    rest === knownRest.slice(1) ||
    rest.slice(1) === knownRest.slice(1) ||
    (rest.slice(2) === knownRest.slice(2) && rest[0] === knownRest[1] && rest[1] === knownRest[0])
  );
}
