// What goes wrong on a command line: each with its exit code, one plain sentence, nothing on stdout and no stack.
import { chmod, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startEmbeddedBroker, type Broker } from "../../../demo/parts/broker.ts";
import { startAedes } from "../../support/brokers.ts";
import { runCommand, type Outcome } from "../../support/commandLine.ts";
import { createTemporaryDirectory } from "../../support/temporaryDirectory.ts";

const component = new Uint8Array([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0, 1]);
const good = { components: { boiler: { release: "boiler@1.0.0" } } };
const passphrase = "correct horse battery";

let directory = "";
let broker: Broker;
let closedUrl = "";
const cleanup = new AsyncDisposableStack();

/** In a workspace that has released boiler@1.0.0, unless --dir says otherwise. */
function outstation(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  return runCommand("outstation", args, { directory, environment });
}

async function prepare(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<void> {
  const { code, stderr } = await outstation(args, environment);
  if (code !== 0) throw new Error(stderr);
}

beforeAll(async () => {
  directory = cleanup.use(await createTemporaryDirectory()).path;
  broker = await startEmbeddedBroker();
  cleanup.defer(() => broker.stop());
  const closed = await startAedes();
  closedUrl = closed.url;
  await closed.stop();
  const other = { ...component, 8: 2, length: component.length };
  await writeFile(join(directory, "boiler.wasm"), component);
  await writeFile(join(directory, "other.wasm"), Uint8Array.from(other));
  await writeFile(join(directory, "core.wasm"), new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  await writeFile(join(directory, "text.wasm"), "(component)");
  await writeFile(join(directory, "empty.wasm"), "");
  await writeFile(join(directory, "good.json"), JSON.stringify(good));
  await writeFile(join(directory, "torn.json"), '{"components": {');
  await writeFile(join(directory, "unknownKey.json"), JSON.stringify({ ...good, gateway: "g" }));
  const misspelt = { components: { boiler: { release: "boiler@1.0.0", grant: {} } } };
  await writeFile(join(directory, "misspelt.json"), JSON.stringify(misspelt));
  const unknown = { components: { boiler: { release: "boiler@9.9.9" } } };
  await writeFile(join(directory, "unknownRelease.json"), JSON.stringify(unknown));
  await writeFile(join(directory, "reserved.json"), JSON.stringify({ components: { agent: good.components.boiler } }));
  await writeFile(join(directory, "badName.json"), JSON.stringify({ components: { Boiler: good.components.boiler } }));
  await writeFile(join(directory, "wrong.txt"), "wrong");
  await writeFile(join(directory, "torn.pem"), "-----BEGIN PRIVATE KEY-----\nMC4", { mode: 0o600 });
  await prepare(["init", "--broker", broker.url, "--dev"]);
  await prepare(["release", "boiler@1.0.0", "boiler.wasm"]);
  const locked = ["init", "--broker", broker.url, "--dir", "locked"];
  await prepare(locked, { OUTSTATION_PASSPHRASE: passphrase });
  await prepare(["init", "--broker", broker.url, "--dev", "--dir", "exposed"]);
  await chmod(join(directory, "exposed", "keys", "targets.pem"), 0o644);
}, 60_000);

afterAll(() => cleanup.disposeAsync());

/** The arguments, the exit code, and what the one sentence on stderr says. */
const cases: readonly (readonly [args: string, code: number, words: string])[] = [
  ["frobnicate", 2, 'there is no command "frobnicate"'],
  ["status --frobnicate", 2, "There is no option --frobnicate.\nSee: outstation status --help"],
  ["status --dir", 2, "--dir needs a value"],
  ["init --broker --dev", 2, "--broker needs a value"],
  ["status --json=yes", 2, "--json takes no value"],
  ["deploy", 2, "It takes: <gateway> <deployment.json>"],
  ["status one two", 2, "It takes: [<gateway>]"],
  ["init", 2, "Say where the broker is"],
  ["init --broker broker.example:1883", 2, "no broker URL such as mqtt://host:1883"],
  ["init --broker http://broker.example", 2, "no broker URL"],
  ["init --broker mqtt://", 2, "no broker URL"],
  ["init --broker mqtt://127.0.0.1 --dir fresh", 78, "set OUTSTATION_PASSPHRASE or give --passphrase-file"],
  ["init --broker mqtt://127.0.0.1 --dev", 1, "is a workspace already. Choose another directory."],
  ["status --dir nowhere", 78, "nowhere is no workspace. Make one with: outstation init"],
  ["status #", 2, '"#" is no gateway name'],
  ["watch +", 2, '"+" is no gateway name'],
  ["watch g-1 --for soon", 2, '--for "soon" is no duration such as 30s'],
  ["watch g-1 --for 30d", 2, "--for 30d is too long; at most 24h"],
  ["logs g-1 boiler --for 2h", 2, "at most 1h"],
  ["command g-1 boiler relay {on}", 2, "The parameters are not JSON: {on}"],
  ["command g-1 boiler relay --expires 0s", 2, "must be longer than 0s"],
  ["release boiler boiler.wasm", 2, "Name the release as name@version"],
  ["release boiler@one boiler.wasm", 1, 'expected "name@1.2.3"'],
  ["release boiler@1.1.0 missing.wasm", 1, "There is no component file at missing.wasm"],
  ["release boiler@1.1.0 empty.wasm", 1, "empty.wasm is empty"],
  ["release boiler@1.1.0 core.wasm", 1, "wasm-tools component new core.wasm"],
  ["release boiler@1.1.0 text.wasm", 1, "text.wasm is not WebAssembly"],
  ["release boiler@1.0.0 other.wasm", 1, "boiler@1.0.0 is released. Choose the next version."],
  ["release boiler@1.0.0 boiler.wasm --dir exposed", 78, "can be read by others. Run: chmod 600"],
  ["release boiler@1.0.0 boiler.wasm --dir locked", 78, "is encrypted. Set OUTSTATION_PASSPHRASE"],
  [
    "release boiler@1.0.0 boiler.wasm --dir locked --passphrase-file wrong.txt",
    78,
    "does not open with this passphrase",
  ],
  ["release boiler@1.0.0 boiler.wasm --passphrase-file none.txt", 1, "There is no passphrase file none.txt"],
  ["deploy g-1", 2, "Give a deployment file, or --release"],
  ["deploy g-1 good.json --release boiler=boiler@1.0.0", 2, "Give a deployment file, or --release"],
  ["deploy g-1 --release boiler@1.0.0", 2, "Write --release as <component>=<name@version>"],
  ["deploy g-1 good.json --timeout 5", 2, '--timeout "5" is no duration'],
  ["deploy G1 good.json", 2, '"G1" is no gateway name'],
  ["deploy g-1 missing.json", 1, "There is no deployment missing.json"],
  ["deploy g-1 torn.json", 1, "The deployment torn.json is not JSON"],
  ["deploy g-1 unknownKey.json", 1, 'at "gateway": no such key is known'],
  ["deploy g-1 misspelt.json", 1, 'at "components.boiler.grant": no such key is known'],
  ["deploy g-1 unknownRelease.json", 1, "boiler@9.9.9 is not released. Release it first"],
  ["deploy g-1 reserved.json", 1, 'the name "agent" is the agent\'s own'],
  ["deploy g-1 badName.json", 1, "expected a name of a-z"],
  ["deploy g-9 --release boiler=boiler@1.0.0", 1, 'g-9 has no component "boiler" yet'],
  ["deploy g-1 good.json --timeout 1ms", 75, "It goes on by itself; ask with: outstation status g-1"],
  ["command g-1 boiler relay --expires 1s", 75, "g-1 did not answer within 1 s. The command has expired"],
  ["why g-1", 69, ""],
  ["keys", 2, "outstation keys: what about them?\nSee: outstation keys --help"],
  ["root frobnicate", 2, 'outstation root: there is no "frobnicate"'],
  ["keys list extra", 2, "See: outstation keys list --help"],
  ["keys create", 2, "It takes: <name>"],
  ["keys create ../x --dev", 1, '"../x" is no name of a key'],
  ["keys create spare", 78, "The new key needs a passphrase"],
  ["keys create targets --dev", 1, 'There is a key "targets"'],
  ["keys create hsm --pkcs11 module,token,label", 2, "Write --pkcs11 as <path of the module>,<token>,<label>"],
  ["keys create hsm --pkcs11 /m.so,fleet", 2, "Write --pkcs11 as"],
  ["keys create hsm --pkcs11 /m.so,fleet,targets", 78, "needs its PIN: set OUTSTATION_PIN or give --pin-file"],
  ["keys create hsm --pkcs11 /m.so,fleet,targets --pin-file wrong.txt", 1, "/m.so cannot be loaded"],
  ["keys create hsm --pin-file none.txt", 1, "There is no pin file none.txt"],
  ["keys encrypt targets", 2, "Say where the new passphrase is"],
  ["keys encrypt targets --new-passphrase-file empty.wasm", 2, "empty.wasm is empty"],
  ["keys encrypt ../targets --new-passphrase-file wrong.txt", 1, '"../targets" is no name of a key'],
  ["keys encrypt none --new-passphrase-file wrong.txt", 1, "There is no private key at"],
  ["keys encrypt targets --new-passphrase-file wrong.txt --dir locked", 78, "is encrypted. Set OUTSTATION_PASSPHRASE"],
  ["serve --once --dir locked", 78, "is encrypted. Set OUTSTATION_PASSPHRASE"],
  ["keys rotate none", 78, 'There is no key "none"'],
  ["keys revoke director-root", 1, "root would have 0 keys, and 1 must sign"],
  ["keys list --dir nowhere", 78, "nowhere is no workspace"],
  ["root sign image.2.root.json", 2, "Say which key signs: --key <key file>, or only look: --dry-run"],
  ["root sign none.json --dry-run", 1, "There is no file to sign at none.json"],
  ["root sign torn.json --dry-run", 1, "torn.json is no signed metadata"],
  ["root sign good.json --key wrong.txt", 1, "good.json is neither a root nor targets"],
  ["root sign image/1.root.json --key wrong.txt", 78, "can be read by others. Run: chmod 600 wrong.txt"],
  ["root sign image/1.root.json --key torn.pem", 78, "torn.pem is not a PKCS#8 PEM file"],
  ["root sign image/1.root.json --key keys/operator.pem", 1, "is no root key of image/1.root.json"],
  ["root sign image/2.targets.json --dry-run", 1, "Sign it with: outstation targets sign"],
  ["targets sign image/1.root.json --dry-run", 1, "Sign it with: outstation root sign"],
  ["root merge", 2, "It takes: <file>…"],
  ["root merge image/1.root.json", 1, "nothing of that kind was proposed here"],
  ["targets merge image/2.targets.json", 1, "nothing of that kind was proposed here"],
  ["root renew", 2, "It takes: image|director"],
  ["root renew both", 2, 'There is no repository "both"'],
  ["targets renew --as nobody", 1, 'There is no publisher "nobody"'],
  ["publisher add acme", 2, "--paths is needed"],
  ["publisher add acme --paths boiler/*", 2, "--key is needed"],
  ["publisher add acme --paths boiler/* --key none.json", 1, "There is no public key at none.json"],
  ["publisher add acme --paths boiler/* --key good.json", 78, "It is made with: outstation keys create"],
  ["publisher add acme --paths boiler --key keys/operator.public.json", 1, '"boiler" is no path pattern'],
  ["publisher add acme --paths boiler/* --key keys/operator.public.json --threshold two", 2, "--threshold is a number"],
  ["publisher remove acme", 1, 'There is no publisher "acme"'],
  ["release pump@1.0.0 boiler.wasm --as acme", 1, 'There is no publisher "acme"'],
  ["release pump@1.0.0 boiler.wasm --floor 0", 2, '--floor "0" is no counter'],
  ["release pump@1.0.0 boiler.wasm --floor 2", 1, "The floor 2 would forbid this release itself, number 1"],
  ["init --broker mqtt://127.0.0.1 --dev --targets-keys ten", 2, '--targets-keys "ten" is no number from 1 to 9'],
  ["init --broker mqtt://127.0.0.1 --dev --dir fresh --targets-threshold 2", 78, "2 of 1 targets keys can never sign"],
];

describe("the command line", () => {
  it.each(cases)("outstation %s ends with %i and says %s", async (args, expected, words) => {
    const { code, stdout, stderr } = await outstation(args.split(" "));
    expect({ code, stderr }).toEqual({ code: expected, stderr: expect.stringContaining(words) });
    expect(stderr).not.toMatch(/^\s+at .*:\d+/m);
    expect(stdout === "" || args.startsWith("why")).toBe(true);
  });

  it("says at once that nothing listens where the broker should be, and leaves a fleet that can go on", async () => {
    const args = ["init", "--broker", closedUrl, "--dev", "--dir", "away"];
    const { code, stderr } = await outstation(args);
    expect({ code, stderr }).toEqual({
      code: 69,
      stderr: expect.stringContaining("nothing listens there (ECONNREFUSED)"),
    });
    expect(stderr).toContain("The fleet is ready in");
    const released = await outstation(["release", "boiler@1.0.0", "boiler.wasm", "--dir", "away"]);
    expect(released).toMatchObject({ code: 69, stderr: expect.stringContaining("is not reached") });
    const again = await outstation(["release", "boiler@1.0.0", "boiler.wasm", "--dir", "away"]);
    expect(again.stderr).toContain("signed already");
  });

  it("says that the fleet is made when the broker does not let us in", async () => {
    const notAuthorized = Uint8Array.of(0x20, 3, 0, 0x87, 0);
    await using server = createServer((socket) => socket.once("data", () => socket.end(notAuthorized)));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code, stderr } = await outstation(["init", "--broker", url, "--dev", "--dir", "refused"]);
    expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringContaining("The fleet is ready in") });
    expect(stderr).toContain("OUTSTATION_USERNAME and OUTSTATION_PASSWORD. Go on with: outstation release");
  });

  it("publishes a release again when its bytes are the same", async () => {
    const { code, stdout } = await outstation(["release", "boiler@1.0.0", "boiler.wasm"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("boiler@1.0.0 is released: 9 bytes") });
  });

  it("opens keys with the passphrase of the environment or of a file", async () => {
    const release = ["release", "boiler@1.0.0", "boiler.wasm", "--dir", "locked"];
    expect(await outstation(release, { OUTSTATION_PASSPHRASE: passphrase })).toMatchObject({ code: 0 });
    await writeFile(join(directory, "right.txt"), `${passphrase}\n`);
    expect(await outstation([...release, "--passphrase-file", "right.txt"])).toMatchObject({ code: 0 });
  });
});
