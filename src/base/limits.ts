// Every bound of the product, each with its reason; nothing waits, queues, retries or stores without one of these.

const KiB = 1024;
const MiB = 1024 * KiB;
const seconds = 1000;

export const limits = {
  blob: {
    /** Under the 128 KB packet bound of hosted brokers, header included. */
    chunkSizeBytes: 64 * KiB,
    /** Chunks asked for at once: window × chunk bounds the memory of a download. */
    windowChunks: 8,
    /** A download says durably what it has after so many chunks; a power cut costs at most these and a window. */
    chunksKept: 16,
    /** A component takes so much of the disk once more when it is transpiled: core modules, and the code around them. */
    transpiledShare: 1.5,
    /** Room that a delivery leaves for the outbox, the journal and small state, which must go on on a full disk. */
    diskReserveBytes: 32 * MiB,
    /** Components and blobs are read, hashed and written in pieces of this size. */
    pieceBytes: 64 * KiB,
    /** A rebuild that takes longer hangs; the largest component takes less than a second on a laptop. */
    rebuildMs: 60 * seconds,
    /** JavaScript memory of the process that rebuilds; zstd's window is bounded by the component's length. */
    rebuildMemoryMb: 64,
    /** A StarlingMonkey component is 12.5 MB; three of them are more than any one component needs. */
    componentMaxBytes: 48 * MiB,
    /** When no chunk comes for so long, and next to no bytes either, what is missing is asked for in another way. */
    chunkTimeoutMs: 10 * seconds,
    /** Rounds in a row that bring no chunk before the download is given up for now. */
    chunkAttempts: 5,
  },
  /** Requests for what the broker does not hold, to whoever serves the fleet. */
  get: {
    requestBytes: 2 * KiB,
    /** Chunks of one request. */
    chunks: 16,
    /** A metadata file that has not come as a retained message by then is asked for; one that does comes in a second. */
    afterMs: 2 * seconds,
    /** An answer that has not begun by then is not coming: nobody serves this fleet now. */
    timeoutMs: 10 * seconds,
  },
  time: {
    /** The director is asked for the time at a connect: this long after it answered, and after it did not. */
    anchoredMs: 24 * 3600 * seconds,
    askAgainMs: 3600 * seconds,
    /** A clock that is off by more than this is worth a line in the log; certificates and commands allow about as much. */
    worthSayingS: 60,
    /** The end of the year 9999: later times cannot be written everywhere, and then no calendar has them. */
    latestMs: 253_402_300_799_999,
  },
  link: {
    /** Messages published and not yet acknowledged; above 20 the rate gains nothing (docs/benchmarks.md). */
    publishWindow: 20,
    /** Publishes waiting for the window; beyond it the caller is told to wait. */
    publishQueue: 1000,
    connectTimeoutMs: 15 * seconds,
    keepaliveSeconds: 30,
    reconnectMinMs: 500,
    reconnectMaxMs: 60 * seconds,
    /** A connection that lasted this long starts the backoff afresh; two agents with one identity never do. */
    stableMs: 60 * seconds,
    /** What a broker refused or had no room for is sent again after this. */
    republishMs: 5 * seconds,
    /** Anything a broker has not acknowledged by then: the connection is taken as dead and made anew. */
    ackTimeoutMs: 30 * seconds,
    /** How long a clean goodbye may take before the connection is simply cut. */
    closeTimeoutMs: 5 * seconds,
    /** Inbound messages whose handlers may run at once (MQTT 5 receive maximum). */
    receiveMaximum: 20,
    /** How long a broker keeps our session while we are away (MQTT 5). */
    sessionExpirySeconds: 24 * 3600,
    /** What the broker sends by itself after a connect is waited for this long before it is asked for. */
    heardMs: 2 * seconds,
    /** A retained document that has not come by then is taken as missing for now. */
    fetchTimeoutMs: 10 * seconds,
    /** So many bytes between two looks are a slow transfer and not a dead one: 64 KiB take a minute then. */
    trickleBytes: 8 * KiB,
    /** Looks in a row at which a trickle counts; a chunk that is not here by then is not what trickles. */
    trickles: 30,
    /** Topics nobody wants that we ask the broker to leave; it may send more of them than we ever asked for. */
    leftBehind: 64,
    /** Largest packet we accept from a broker. */
    packetMaxBytes: 256 * KiB,
    /** A message up to this is read to its end and cut at the bound; a larger one ends the connection. */
    cutMaxBytes: 16 * MiB,
  },
  trust: {
    rootMaxBytes: 64 * KiB,
    timestampMaxBytes: 16 * KiB,
    snapshotMaxBytes: 512 * KiB,
    targetsMaxBytes: 2 * MiB,
    /** Snapshot and targets together, as the difference from older ones: less than the targets alone may have. */
    roundMaxBytes: 2 * MiB,
    deploymentMaxBytes: 64 * KiB,
    /** Publishers whose metadata is read to find one target (TUF 5.6.7). */
    publishers: 32,
    /** Keys of one publisher: the gateway remembers their ids with every floor that they vouch for. */
    publisherKeys: 16,
    /** Path patterns of one publisher, of which each is tried on every target of its components. */
    publisherPaths: 64,
    /** Characters of a target's path, and of a pattern: a pattern takes the square of it in time, and no longer. */
    pathCharacters: 256,
    /** Floors of publishers remembered, the latest: each names up to 16 keys, and all must fit what is read of them. */
    publisherFloors: 128,
    /** Root versions walked in one refresh. */
    rootRotations: 32,
  },
  workspace: {
    /** How long a command waits for another that signs in the same workspace. */
    lockMs: 30 * seconds,
    lockPollMs: 100,
  },
  serve: {
    /** What one gateway may ask for at once, and each second, in chunks or files: a 12 MB component in ten seconds. */
    burst: 200,
    perSecond: 20,
    /** Lines in the log about what one gateway asked in vain: it costs a gateway nothing to ask. */
    warnings: { burst: 20, perSecond: 0.1 },
    /** Gateways whose share is remembered. */
    remembered: 20_000,
    /** The fleet is looked over this often, and at every connect. */
    passMs: 600 * seconds,
    /** Retained messages looked up at once; each that is missing takes the time below. */
    lookups: 32,
    heldTimeoutMs: 2 * seconds,
  },
  /** What an operator keeps published besides the newest metadata. */
  published: {
    /** Rounds from which the difference to the newest is published: gateways further behind fetch every file whole. */
    imageRounds: 8,
    directorRounds: 2,
    /** Newest releases of each component that stay on the broker though no gateway runs them (yet). */
    releases: 3,
    /** Of the record of published blobs: some hundred thousand hashes. */
    recordBytes: 16 * MiB,
  },
  deployment: {
    /** Of one gateway: each takes a thread and its 10 MB. */
    components: 64,
    /** Attempts at a trial that a power cut interrupted before it is taken as failed. */
    trialAttempts: 3,
    /** Failed deployments remembered so that they are not tried again. */
    failedRemembered: 16,
    /** A deployment that could not be reached is looked at again after this, doubling up to the maximum. */
    retryMinMs: 2 * seconds,
    retryMaxMs: 3600 * seconds,
    healthWithinMs: 30 * seconds,
    bakeMs: 10 * seconds,
  },
  component: {
    /** Of each memory; a component has one that grows, and a few small ones that its toolchain adds. */
    memoryMaxBytes: 32 * MiB,
    /** The most that a deployment may grant instead: what a gateway of 2 GB can lose to one component. */
    memoryLargestBytes: 1024 * MiB,
    memories: 4,
    /** What a component takes of the machine before it allocates anything: its thread. */
    threadBytes: 10 * MiB,
    callMs: 5 * seconds,
    startMs: 20 * seconds,
    transpileMs: 120 * seconds,
    transpileMemoryMb: 512,
    /** Handler calls waiting for a busy component; the oldest of them is dropped and counted. */
    queueDepth: 64,
    /** Crashes inside the window that make a committed component roll back. */
    crashes: 3,
    crashWindowMs: 60 * seconds,
    restartMinMs: 250,
    restartMaxMs: 30 * seconds,
    /** A trigger whose port failed, say an adapter that was unplugged, is tried again after this. */
    triggerRetryMs: 1 * seconds,
    readingsPerSecond: 1000,
    /** Reports on their way to the disk; beyond it `report` waits. */
    pendingReports: 64,
    logsPerSecond: 50,
    logLineBytes: 4 * KiB,
    /** How often a worker tells what it dropped; a component can drop a million lines a second. */
    dropReportMs: 250,
    /** Largest value that crosses the sandbox boundary in one call. */
    callBytes: 1 * MiB,
    openPorts: 16,
    /** Share of one core over the watchdog's window. */
    cpuShare: 0.9,
    cpuWindowMs: 10 * seconds,
  },
  serial: { receiveBufferBytes: 64 * KiB, writeMaxBytes: 64 * KiB, lineMaxBytes: 4 * KiB },
  udp: { payloadBytes: 1472, receiveQueue: 256 },
  outbox: {
    segmentBytes: 1 * MiB,
    /** Disk the outbox may take; beyond it the oldest segment is dropped and counted. */
    totalBytes: 64 * MiB,
    /** Appends wait this long for company: one sync for all of them is what flash lives on. */
    commitMs: 100,
    recordBytes: 64 * KiB,
    /** Appends that wait for the disk; beyond it the caller is told to wait. */
    pendingBytes: 512 * KiB,
    /** Readings wait this long for a batch to fill. */
    batchMs: 500,
    /** Readings in memory that are not yet in the outbox. */
    pendingReadings: 10_000,
    /** Streams of all components together. */
    streams: 1024,
    /** Records read and published side by side by one round of the drain. */
    drainRecords: 20,
    drainBytes: 512 * KiB,
    batchReadings: 100,
    batchBytes: 32 * KiB,
  },
  command: {
    tokenBytes: 32 * KiB,
    /** A command that asks to live longer is refused. */
    lifetimeMs: 24 * 3600 * seconds,
    /** Allowed difference between the operator's clock and ours. */
    skewMs: 60 * seconds,
    remembered: 1000,
    running: 8,
    /**
     * Refusals and repeated answers: what costs no key to cause. Anybody who may publish could otherwise have the
     * gateway answer at the network's speed, on a link that is paid by the byte.
     */
    refusalsPerSecond: 0.2,
    refusalsAtOnce: 20,
    answerBytes: 64 * KiB,
    /** A call that has not answered by then is aborted; the operator waits no longer for anything. */
    callMs: 60 * seconds,
    /** An answer up to this size is kept to be given again; its file takes one block anyway. */
    keptAnswerBytes: 4 * KiB,
  },
  /** A stop that takes longer (a component is being transpiled) is cut short: the next boot takes up what is on disk. */
  stopMs: 8 * seconds,
  /** What was reported is kept on the disk, for who asks on the gateway; component states at most so often. */
  reported: {
    keepMs: 10 * seconds,
    /** How often a download tells how far it is: each time costs a report on a link that is paid by the byte. */
    progressMs: 10 * seconds,
  },
  logs: {
    /** Last lines of each component, for an operator who asks after something happened. */
    tailLines: 100,
    /** The longest an operator may listen with one command; a forgotten one costs no more of the link. */
    listenMaxMs: 3600 * seconds,
  },
  /** Events that wait for the broker; the oldest goes first. */
  events: { waiting: 200 },
  /**
   * Words in what we publish, in characters, of which JSON may make six bytes each: a report on 64 components and an
   * event must fit any broker, whatever somebody else's name or message is quoted in them.
   */
  words: { refusal: 2000, event: 4000, reason: 500, names: 128 },
  document: { bytes: 256 * KiB, depth: 32 },
} as const;
