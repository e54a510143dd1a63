// Every broker we can start here, in each MQTT version it speaks: what a contract of the link is held against.
import { mosquittoMissing, startAedes, startMosquitto } from "./brokers.ts";

const missing = mosquittoMissing();
if (missing !== undefined) console.log(`the link's contract is not run on mosquitto: ${missing}`);

export const brokerKinds = [
  { name: "mosquitto, MQTT 5", start: () => startMosquitto(), protocol: "5", missing },
  { name: "mosquitto, MQTT 3.1.1", start: () => startMosquitto(), protocol: "3.1.1", missing },
  { name: "aedes, which refuses MQTT 5", start: startAedes, protocol: "auto", missing: undefined },
] as const;
