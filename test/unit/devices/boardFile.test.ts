// The board file refuses whatever is unclear and says where.
import { describe, expect, it } from "vitest";
import { parseBoardFile } from "../../../devices/boardFile.ts";
import { DeviceError } from "../../../devices/error.ts";

function refusal(file: unknown): string {
  try {
    parseBoardFile(typeof file === "string" ? file : JSON.stringify(file));
  } catch (error) {
    if (error instanceof DeviceError && error.code === "invalid") return error.message;
    throw error;
  }
  throw new Error("the board file was accepted");
}

describe("a board file", () => {
  it("names real and simulated ports and fills in the usual framing", () => {
    const board = parseBoardFile(
      JSON.stringify({
        serial: {
          probe: { path: "/dev/serial/by-id/usb-FTDI" },
          meter: { simulated: "line-thermometer", options: { seed: 1 } },
        },
        gpio: {
          relay: { line: "GPIO17", direction: "out" },
          door: { chip: "pinctrl-bcm2835", offset: 4, direction: "in", bias: "pull-up", debounceUs: 5000 },
          lamp: { simulated: "relay", direction: "out" },
          button: { simulated: "button", direction: "in" },
        },
        trace: "trace.ndjson",
      }),
    );
    expect(board.serial["probe"]).toEqual({
      path: "/dev/serial/by-id/usb-FTDI",
      baudRate: 9600,
      dataBits: 8,
      stopBits: 1,
      parity: "none",
    });
    expect(board.serial["meter"]).toEqual({ simulated: "line-thermometer", options: { seed: 1, celsius: 60 } });
    expect(board.gpio["relay"]).toMatchObject({ activeLow: false, bias: "none", debounceUs: 0 });
    expect(board.gpio["door"]).toMatchObject({ chip: "pinctrl-bcm2835", offset: 4, bias: "pull-up" });
    expect(board.trace).toBe("trace.ndjson");
  });

  it("may name the hardware, and has no other list", () => {
    expect(parseBoardFile('{"hardware": ["pi-4"]}').hardware).toEqual(["pi-4"]);
    expect(() => parseBoardFile('{"serial": {"hardware": []}}')).toThrow('at "serial.hardware.path"');
    expect(() => parseBoardFile('{"hardware": [4]}')).toThrow('at "hardware.0"');
  });

  it("may have no ports at all", () => {
    expect(parseBoardFile("{}")).toEqual({ hardware: [], serial: {}, gpio: {} });
  });

  it.each([
    ["an empty text", "", /not JSON/],
    ["a list", [], /at the top: expected an object, not a list/],
    ["a list for ports", { gpio: [] }, /at "gpio": expected an object, not a list/],
    ["a port that is no object", { serial: { probe: "/dev/ttyUSB0" } }, /at "serial\.probe"/],
    [
      "a text for a number",
      { serial: { probe: { path: "/dev/x", baudRate: "9600" } } },
      /at "serial\.probe\.baudRate"/,
    ],
    [
      "a relative path",
      { serial: { probe: { path: "ttyUSB0" } } },
      /at "serial\.probe\.path": expected an absolute path/,
    ],
    ["a port name that is unsafe in a topic", { serial: { "my probe": { path: "/dev/x" } } }, /at "serial\.my probe"/],
    ["an unknown part", { serial: { meter: { simulated: "teapot" } } }, /"line-thermometer"/],
    ["a relay as input", { gpio: { lamp: { simulated: "relay", direction: "in" } } }, /a relay is an output/],
    [
      "a line without a name",
      { gpio: { door: { direction: "in" } } },
      /needs "line" \(its name\), or "chip" and "offset"/,
    ],
    [
      "a chip without offset",
      { gpio: { door: { line: "A", chip: "c", direction: "in" } } },
      /"chip" and "offset" go together/,
    ],
    ["a line without direction", { gpio: { door: { line: "A" } } }, /at "gpio\.door\.direction"/],
  ])("is refused when it holds %s", (_what, file, message) => {
    expect(refusal(file)).toMatch(message);
  });

  it("is refused when a port is both real and simulated", () => {
    const both = { serial: { probe: { path: "/dev/x", simulated: "line-thermometer" } } };
    expect(refusal(both)).toContain('a port is either simulated or real; remove "simulated" or "path"');
    const line = { gpio: { lamp: { simulated: "relay", direction: "out", line: "GPIO17" } } };
    expect(refusal(line)).toContain('remove "simulated" or "line"');
  });

  it.each([
    [{ serail: {} }, "serial"],
    [{ serial: { probe: { path: "/dev/x", baudrate: 9600 } } }, "baudRate"],
    [{ serial: { meter: { simulated: "line-thermometer", options: { sead: 1 } } } }, "seed"],
    [{ gpio: { door: { lin: "GPIO4", direction: "in" } } }, "line"],
  ])("offers the key that was probably meant: %j", (file, meant) => {
    expect(refusal(file)).toContain(`did you mean "${meant}"?`);
  });

  it("does not guess when a key resembles none", () => {
    expect(refusal({ colour: "red" })).toMatch(/at "colour": no such key is known\.$/);
  });
});
