// A PKCS#11 token in software, SoftHSM2, with a token directory of the test's own.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

export const softHsmModule = "/usr/lib/softhsm/libsofthsm2.so";
export const softHsmMissing: string | undefined = existsSync(softHsmModule)
  ? undefined
  : "SoftHSM2 is not installed (apt-get install softhsm2)";

export const pin = "246810";

/** Makes a token of that label. The environment tells the module where it is; processes need it as well. */
export async function createToken(directory: string, label: string): Promise<Readonly<Record<string, string>>> {
  const configuration = join(directory, "softhsm2.conf");
  await mkdir(join(directory, "tokens"), { recursive: true });
  await writeFile(
    configuration,
    `directories.tokendir = ${join(directory, "tokens")}\nobjectstore.backend = file\nlog.level = ERROR\n`,
  );
  const environment = { SOFTHSM2_CONF: configuration };
  await promisify(execFile)(
    "softhsm2-util",
    ["--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", "13579111"],
    { env: { ...process.env, ...environment } },
  );
  process.env["SOFTHSM2_CONF"] = configuration;
  return environment;
}
