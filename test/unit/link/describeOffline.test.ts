// What an operator or the journal is told about a broker that is not reached: the cause, and what to do.
import { describe, expect, it } from "vitest";
import { describeOffline } from "../../../src/link/describeOffline.ts";
import { LinkError, offlineError } from "../../../src/link/link.ts";

const url = "mqtts://broker.example:8883";
const coded = (code: string, message = ""): Error => Object.assign(new Error(message), { code });

describe("why the broker is not reached", () => {
  it.each([
    ["ECONNREFUSED", "nothing listens there (ECONNREFUSED). Is it running"],
    ["ECONNRESET", "Use mqtts:// where the broker speaks TLS"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "Set NODE_EXTRA_CA_CERTS"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "Set NODE_EXTRA_CA_CERTS"],
  ])("says for %s: %s", (code, words) => {
    const text = describeOffline(url, offlineError(coded(code)));
    expect(text).toContain(`The broker ${url} is not reached: `);
    expect(text).toContain(words);
  });

  it("takes the words of what it does not know", () => {
    expect(describeOffline(url, offlineError(coded("ERR_X", "it is odd.")))).toBe(
      `The broker ${url} is not reached: it is odd. Is it running, and reached from here?`,
    );
  });

  it("does not leave out a close without a reason", () => {
    expect(describeOffline(url, offlineError())).toContain("it closed the connection without a word. Use mqtts://");
  });

  it("leaves a refusal as it is", () => {
    const refused = new LinkError("refused", "The broker refused the connection: Not authorized.");
    expect(describeOffline(url, refused)).toBe(refused.message);
  });
});
