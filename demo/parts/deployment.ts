// The deployments of the demo, as an operator would write them.

export function boilerDeployment(udpPort: number): unknown {
  return {
    components: {
      boiler: {
        release: "boiler@1.0.0",
        grants: {
          serial: { probe: "read-write" },
          gpio: { relay: "out" },
          udp: { send: [`127.0.0.1:${udpPort}`] },
        },
        triggers: { interval: { sample: "200ms" } },
        config: { setpoint: 61.5, neighbour: `127.0.0.1:${udpPort}` },
        health: { within: "20s", bake: "1s" },
      },
    },
  };
}

/** The same component, but nobody grants it the serial port that it imports. */
export function ungrantedDeployment(): unknown {
  return {
    components: {
      boiler: {
        release: "boiler@1.1.0",
        grants: { gpio: { relay: "out" }, udp: { send: ["127.0.0.1:9"] } },
        triggers: { interval: { sample: "200ms" } },
      },
    },
  };
}
