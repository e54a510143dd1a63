// The version both commands and every report say; the release script keeps it equal to package.json (a test checks).
export const agentVersion = "0.1.0";

/** When this version was made: no clock of a gateway that runs it can be right and earlier. */
export const agentBuiltMs: number = Date.UTC(2026, 10, 22);
