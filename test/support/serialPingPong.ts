// A program of its own that is idle but for two serial ports: bytes go from one to the other and back, 200 times.
import { openLinuxSerial } from "../../devices/serial/linux.ts";

const framing = { baudRate: 115_200, dataBits: 8, stopBits: 1, parity: "none" } as const;
const [near = "", far = ""] = process.argv.slice(2);
await using nearPort = await openLinuxSerial(near, framing);
await using farPort = await openLinuxSerial(far, framing);
for (let round = 0; round < 200; round += 1) {
  const heard = farPort.read(8).then((bytes) => farPort.write(bytes));
  await nearPort.write(Buffer.from("p"));
  await Promise.all([heard, nearPort.read(8)]);
}
console.log("200 rounds");
