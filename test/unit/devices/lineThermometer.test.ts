// The simulated thermometer speaks its line protocol, repeats itself for a seed and leaves a trace.
import { describe, expect, it } from "vitest";
import { createLineThermometer } from "../../../devices/simulated/lineThermometer.ts";
import type { LineThermometerOptions } from "../../../devices/simulated/lineThermometer.ts";
import type { TraceEvent } from "../../../devices/simulated/trace.ts";
import { createManualClock } from "../../support/manualDeviceClock.ts";

function plugIn(options: Partial<LineThermometerOptions> = {}) {
  const clock = createManualClock();
  const events: TraceEvent[] = [];
  let said = "";
  const part = createLineThermometer(
    { seed: 1, celsius: 60, ...options },
    { clock, send: (bytes) => (said += String(Buffer.from(bytes))), record: (event) => void events.push(event) },
  );
  const ask = (request: string): string => {
    said = "";
    part.receive(Buffer.from(request));
    return said;
  };
  return { part, clock, events, ask, heard: () => said };
}

describe("the simulated line thermometer", () => {
  it("answers a reading near its middle, slowly wandering", () => {
    const { ask } = plugIn();
    const readings = Array.from({ length: 500 }, () => {
      const reply = ask("READ\r\n");
      expect(reply).toMatch(/^T=\d+\.\d\d\r\n$/);
      return Number(reply.slice(2));
    });
    expect(Math.min(...readings)).toBeGreaterThan(55);
    expect(Math.max(...readings)).toBeLessThan(65);
    expect(new Set(readings).size).toBeGreaterThan(50);
    const steps = readings.slice(1).map((reading, index) => Math.abs(reading - (readings[index] ?? 0)));
    expect(Math.max(...steps)).toBeLessThan(0.5);
  });

  it("gives the same temperatures for the same seed and others for another", () => {
    const walk = (seed: number): string[] => {
      const { ask } = plugIn({ seed });
      return Array.from({ length: 10 }, () => ask("READ\r\n"));
    };
    expect(walk(7)).toEqual(walk(7));
    expect(walk(7)).not.toEqual(walk(8));
  });

  it("says what it is, and ERR to everything it does not know", () => {
    const { ask } = plugIn();
    expect(ask("ID\r\n")).toBe("ID=line-thermometer\r\n");
    expect(ask("WRITE\r\n")).toBe("ERR\r\n");
    expect(ask("\n")).toBe("ERR\r\n");
  });

  it("puts a request together from pieces and takes several at once", () => {
    const { ask } = plugIn();
    expect(ask("I")).toBe("");
    expect(ask("D\r")).toBe("");
    expect(ask("\nID\nID\r\n")).toBe("ID=line-thermometer\r\n".repeat(3));
  });

  it("forgets a request without end instead of keeping all of it", () => {
    const { ask, events } = plugIn();
    ask("x".repeat(100_000));
    expect(ask("\n")).toBe("ERR\r\n");
    expect(String(events[0]?.["request"]).length).toBeLessThanOrEqual(256);
    expect(ask("ID\n")).toBe("ID=line-thermometer\r\n");
  });

  it("sends by itself at its period until it loses power", () => {
    const { part, clock, heard } = plugIn({ everyMs: 1000 });
    clock.advance(999);
    expect(heard()).toBe("");
    clock.advance(2001);
    expect(heard()).toMatch(/^(T=\d+\.\d\d\r\n){3}$/);
    part.stop();
    const before = heard();
    clock.advance(10_000);
    expect(heard()).toBe(before);
  });

  it("leaves each request and its reply in the trace", () => {
    const { ask, events } = plugIn();
    ask("ID\r\n");
    expect(events).toEqual([{ request: "ID", reply: "ID=line-thermometer" }]);
  });
});
