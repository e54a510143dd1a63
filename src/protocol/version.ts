// The version both commands and every report say; the release script keeps it equal to package.json (a test checks).
export const agentVersion = "0.1.0";
