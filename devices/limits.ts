// Every bound of the drivers, each with its reason; nothing here queues, waits or grows without one of these.

const KiB = 1024;

export const deviceLimits = {
  serial: {
    /** Bytes kept while nobody reads: five seconds at 115200 baud. */
    receiveBufferBytes: 64 * KiB,
    /** Bytes accepted and not yet handed to the line: more would hide a line that stands still. */
    writeBufferBytes: 64 * KiB,
  },
  gpio: {
    /** Chips looked through for a line; boards have one to eight. */
    chips: 32,
    /** Longest wait of the one poll thread, hence of a close and of a first edge. */
    pollMs: 100,
    /** The kernel's field for the consumer and for names, its closing zero included. */
    nameBytes: 32,
  },
  udp: {
    /** Fits an Ethernet frame; what is larger is fragmented, and lost on many cellular links. */
    payloadBytes: 1472,
    /** Datagrams kept while nobody receives. */
    receiveQueue: 256,
  },
  simulated: {
    /** Longest request a simulated part listens to. */
    requestBytes: 256,
    /** A trace stops here instead of filling the disk. */
    traceBytes: 64 * KiB * KiB,
  },
  board: {
    /** Ports of each kind in a board file. */
    ports: 64,
    /** What a gateway may say that it is. */
    hardware: { names: 16, nameLength: 128 },
    fileBytes: 256 * KiB,
  },
} as const;
