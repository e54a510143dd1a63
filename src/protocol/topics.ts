// The topic names both sides agree on; a broker ACL confines a gateway to its own.

export const defaultRoot = "outstation/v1";

/** Topics shared by every gateway. */
export interface Topics {
  readonly root: string;
  image(file: string): string;
  blob(sha256: string, chunk: number): string;
  gateway(id: string): GatewayTopics;
}

/** Topics of one gateway: `in` is what it reads, `out` what it writes. */
export interface GatewayTopics {
  director(file: string): string;
  command(id: string): string;
  /** All commands; the only wildcard a gateway subscribes to. */
  readonly commands: string;
  /** A request for what the broker does not hold (any more), and part `part` of its answer. */
  get(request: string): string;
  got(request: string, part: number | "none"): string;
  /** Every part of an answer. */
  gots(request: string): string;
  /** Every request of this gateway. */
  readonly gets: string;
  result(id: string): string;
  readonly results: string;
  readonly state: string;
  readonly reported: string;
  readonly event: string;
  telemetry(component: string, stream: string): string;
  log(component: string): string;
  /** Everything this gateway writes. */
  readonly everything: string;
}

export function createTopics(root: string = defaultRoot): Topics {
  return {
    root,
    image: (file) => `${root}/image/${file}`,
    blob: (sha256, chunk) => `${root}/blob/${sha256}/${chunk}`,
    gateway: (id) => createGatewayTopics(`${root}/gateway/${id}`),
  };
}

function createGatewayTopics(base: string): GatewayTopics {
  return {
    director: (file) => `${base}/in/director/${file}`,
    command: (id) => `${base}/in/command/${id}`,
    commands: `${base}/in/command/+`,
    get: (request) => `${base}/out/get/${request}`,
    got: (request, part) => `${base}/in/got/${request}/${part}`,
    gots: (request) => `${base}/in/got/${request}/+`,
    gets: `${base}/out/get/+`,
    result: (id) => `${base}/out/result/${id}`,
    results: `${base}/out/result/+`,
    state: `${base}/out/state`,
    reported: `${base}/out/reported`,
    event: `${base}/out/event`,
    telemetry: (component, stream) => `${base}/out/telemetry/${component}/${stream}`,
    log: (component) => `${base}/out/log/${component}`,
    everything: `${base}/out/#`,
  };
}

const namePattern = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Gateways, components, streams and ports share one rule: safe in a topic, a path and a shell. */
export function isName(text: string): boolean {
  return namePattern.test(text);
}
