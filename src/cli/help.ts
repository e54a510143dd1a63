// Help that teaches: what the product is, every command in one line, and each command with examples.
import type { Command, CommandGroup } from "./command.ts";

const commonOptions = `Common options
  --dir <directory>          the workspace (default: the current directory)
  --json                     results as JSON, one value a line
  --passphrase-file <file>   where the keys' passphrase is; else OUTSTATION_PASSPHRASE, or
                             OUTSTATION_PASSPHRASE_ROOT_1 for a key root-1 that has its own
  --pin-file <file>          where the PIN of PKCS#11 tokens is; else OUTSTATION_PIN
  --help                     this text

The broker's login, where it asks for one: OUTSTATION_USERNAME and OUTSTATION_PASSWORD
The broker's own authority, in a PEM file: NODE_EXTRA_CA_CERTS`;

export function describeAll(commands: readonly (Command | CommandGroup)[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const list = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `outstation: run signed WebAssembly components on field gateways, over any MQTT broker

  outstation <command> --help says more about each:

${list.join("\n")}

A first run, with a broker on this machine:
  outstation init --broker mqtt://127.0.0.1:1883 --dev
  outstationd setup --id pump-7 --factory factory.json --board board.json --state ./pump-7
  outstationd run --state ./pump-7 &
  outstation release boiler@1.0.0 boiler.wasm
  outstation deploy pump-7 deployment.json
  outstation watch pump-7

${commonOptions}

Exit codes: 0 done, 1 failed, 2 wrong usage, 69 broker or gateway not there, 75 not known yet, 78 wrong configuration`;
}

export function describeGroup({ name, help, commands }: CommandGroup): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const list = commands.map((command) => `  outstation ${name} ${command.name.padEnd(width)}  ${command.summary}`);
  return `outstation ${name} <${commands.map((command) => command.name).join("|")}>\n\n${help}\n\n${list.join("\n")}\n\n${commonOptions}`;
}

export function describeCommand({ name, synopsis, help }: Command): string {
  return `outstation ${name} ${synopsis}\n\n${help}\n\n${commonOptions}`;
}
