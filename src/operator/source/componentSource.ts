// Where a component comes from, as a person writes it: a file, or an image in an OCI layout on disk.
import { limits } from "../../base/limits.ts";
import { OperatorError } from "../error.ts";
import { readBytes, readSizeBytes } from "../files.ts";
import { readOciLayout } from "./ociLayout.ts";

const ociPrefix = "oci:";

/** "boiler.wasm", "oci:layout", "oci:layout@1.0.0" or "oci:layout@sha256:…". OperatorError says what cannot be read. */
export async function readComponentSource(source: string): Promise<Uint8Array> {
  if (source.startsWith(ociPrefix)) {
    const [directory = "", reference] = source.slice(ociPrefix.length).split("@");
    return readOciLayout(directory, reference);
  }
  const { componentMaxBytes } = limits.blob;
  const size = await readSizeBytes(source);
  if (size > componentMaxBytes)
    throw new OperatorError(
      "release-too-large",
      `${source} has ${size} bytes; a component has at most ${componentMaxBytes}. Make it smaller.`,
    );
  return readBytes(source, "component file");
}
