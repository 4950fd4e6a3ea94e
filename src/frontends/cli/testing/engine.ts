// An engine that does nothing but remember what it was asked and give plausible answers. Whether a request is right is
// left to the real model, so that tests meet the real mistakes.

import type { LinkspanApi, MutationOptions, Running } from "#engine/linkspan.ts"
import { parseIp } from "#inet/ip.ts"
import { parseMac } from "#inet/mac.ts"
import { parsePrefix } from "#inet/prefix.ts"
import { type ErrorCode, LinkspanError } from "#model/errors.ts"
import type { Explanation } from "#model/explain.ts"
import { accept } from "#model/field.ts"
import { parseIfname } from "#model/name.ts"
import type { Topology } from "#model/topology.ts"
import { checkAttach } from "#model/validate-attach.ts"
import { checkConnect } from "#model/validate-join.ts"
import { checkNameQuery } from "#model/validate-name-query.ts"
import { checkCreateNetwork } from "#model/validate-network.ts"
import { checkPublish, checkUnpublish } from "#model/validate-publish.ts"
import { checkRun } from "#model/validate-run.ts"
import { checkUpdateNetwork } from "#model/validate-update.ts"
import type {
  ActualLink,
  ContainerSummary,
  ContainerView,
  EndpointView,
  FirewallStatus,
  NetworkSummary,
  NetworkView,
  Outcome,
  PublicationView,
} from "#model/view.ts"

export interface Asked {
  readonly verb: string
  readonly request: unknown
}

export interface FakeEngine extends LinkspanApi {
  readonly asked: readonly Asked[]
  readonly disposed: () => boolean
}

export interface FakeOptions {
  /** verb -> what it throws instead of answering. */
  readonly failures?: Readonly<Record<string, unknown>>
  readonly warnings?: readonly string[]
  readonly exitStatus?: number
  readonly networks?: readonly NetworkSummary[]
  readonly containers?: readonly ContainerSummary[]
  /** Called with what arrives at a running process. */
  readonly onForward?: (what: "begin" | "end") => void
}

export function fakeEngine(options: FakeOptions = {}): FakeEngine {
  const asked: Asked[] = []
  let disposed = false
  const ask = (verb: string, request: unknown) => {
    asked.push({ verb, request })
    // The options that every mutating verb has say nothing about this test.
    const failure = options.failures?.[verb] ?? options.failures?.[`${verb} ${String(request)}`]
    if (failure !== undefined) {
      throw failure
    }
  }
  const outcome = <T>(result: T, mutation?: MutationOptions): Outcome<T> => {
    const plan = ["ip link add name br-web type bridge", "ip link set dev br-web up"]
    if (mutation?.dryRun !== true) {
      for (const [index, line] of plan.entries()) {
        mutation?.onProgress?.({ index, total: plan.length, line })
      }
      mutation?.onProgress?.({ index: plan.length, total: plan.length, line: "" })
    }
    return { result, plan, dryRun: mutation?.dryRun ?? false, warnings: options.warnings ?? [] }
  }
  const running = (): Running => ({
    container: CONTAINER,
    pid: 4242,
    exited: Promise.resolve(options.exitStatus ?? 0),
    forwardSignals: () => {
      options.onForward?.("begin")
      return { [Symbol.dispose]: () => options.onForward?.("end") }
    },
    kill: () => {},
  })
  const strip = ({ onProgress: _, dryRun: __, ...rest }: MutationOptions & Record<string, unknown> = {}) => rest
  return {
    asked,
    disposed: () => disposed,
    setUp: () => Promise.reject(new Error("No command sets a container up")),
    tearDown: () => Promise.reject(new Error("No command tears a container down")),
    notes: {
      list: () => Promise.reject(new Error("No command keeps notes")),
      put: () => Promise.reject(new Error("No command keeps notes")),
      remove: () => Promise.reject(new Error("No command keeps notes")),
    },
    state: () => Promise.reject(new Error("No command reads the state whole")),
    watchState: () => Promise.reject(new Error("No command follows the state")),
    async doctor(request) {
      ask("doctor", request)
      return {
        repairs: [],
        findings: [
          { check: "kernel", level: "ok", what: "the kernel has bridges" },
          { check: "mtu", level: "warning", what: "too large", remedy: "linkspan network update web --mtu 1400" },
        ],
      }
    },
    async *capture(request) {
      ask("capture", request)
      yield new Uint8Array([0x0a, 0x0d, 0x0d, 0x0a])
    },
    async statistics() {
      ask("statistics", undefined)
      return { atMs: performance.now(), networks: [], containers: 0, endpoints: [], refused: {} }
    },
    async *watchStatistics(intervalMs) {
      ask("watchStatistics", intervalMs)
      yield { atMs: 0, networks: [], containers: 0, endpoints: [], refused: {} }
      yield { atMs: intervalMs, networks: [], containers: 0, endpoints: [], refused: {} }
    },
    async *events(request) {
      ask("events", request)
      yield { kind: "network-created", network: "web", cursor: 1, time: "2026-01-02T03:04:05.678Z" }
    },
    watch: () => Promise.reject(new Error("No command watches by itself")),
    cables: {
      lay: () => Promise.reject(new Error("No command lays a cable")),
      assign: () => Promise.reject(new Error("No command assigns a cable")),
      publish: () => Promise.reject(new Error("No command publishes through a cable")),
      inspect: () => Promise.reject(new Error("No command looks at a cable")),
      remove: () => Promise.reject(new Error("No command removes a cable")),
      holdPorts: () => Promise.reject(new Error("No command holds ports")),
    },
    describe: () => Promise.reject(new Error("No command describes what somebody else has")),
    pools: {
      reserve: () => Promise.reject(new Error("No command reserves a pool")),
      release: () => Promise.reject(new Error("No command releases a pool")),
      take: () => Promise.reject(new Error("No command takes an address")),
      give: () => Promise.reject(new Error("No command gives an address back")),
    },
    networks: {
      async create(request, mutation) {
        ask("networks.create", request)
        accept(`Cannot create network "${request.name}": the request has mistakes`, checkCreateNetwork(request))
        return outcome(NETWORK, mutation)
      },
      async list() {
        ask("networks.list", undefined)
        return [...(options.networks ?? [NETWORK_SUMMARY])]
      },
      async inspect(network) {
        ask("networks.inspect", network)
        return NETWORK
      },
      async update(request, mutation) {
        ask("networks.update", request)
        accept(`Cannot change network "${request.network}": the request has mistakes`, checkUpdateNetwork(request))
        return outcome(NETWORK, mutation)
      },
      async remove(network, mutation) {
        ask("networks.remove", network)
        return outcome({ id: NETWORK.network.id, name: network }, mutation)
      },
      async prune(mutation) {
        ask("networks.prune", strip({ ...mutation }))
        return outcome([{ id: NETWORK.network.id, name: "web" }], mutation)
      },
      async connect(request, mutation) {
        ask("networks.connect", request)
        accept(`Cannot connect container "${request.container}": the request has mistakes`, checkConnect(request))
        return outcome(ENDPOINT, mutation)
      },
      async disconnect(request, mutation) {
        ask("networks.disconnect", request)
        return outcome(ENDPOINT, mutation)
      },
    },
    async attach(request, mutation) {
      ask("attach", request)
      accept("Cannot attach: the request has mistakes", checkAttach(request))
      return outcome(CONTAINER, mutation)
    },
    async detach(container, mutation) {
      ask("detach", container)
      return outcome({ id: CONTAINER.id, name: container }, mutation)
    },
    async publish(container, ports, mutation) {
      ask("publish", { container, ports })
      accept("Cannot publish: the request has mistakes", checkPublish(ports))
      return outcome([PUBLICATION], mutation)
    },
    async unpublish(container, ports, mutation) {
      ask("unpublish", { container, ports })
      accept("Cannot unpublish: the request has mistakes", checkUnpublish(ports))
      return outcome([PUBLICATION], mutation)
    },
    async run(request, mutation) {
      ask("run", request)
      accept("Cannot run: the request has mistakes", checkRun(request))
      return outcome(running(), mutation)
    },
    async exec(container, request) {
      ask("exec", { container, ...request })
      return running()
    },
    async list(request) {
      ask("list", request)
      return [...(options.containers ?? [CONTAINER])]
    },
    async inspect(container) {
      ask("inspect", container)
      return CONTAINER
    },
    async *logs(container, { signal: _, ...request } = {}) {
      ask("logs", { container, ...request })
      yield new TextEncoder().encode("first\n")
      yield new TextEncoder().encode("second\n")
    },
    async stop(container, request) {
      ask("stop", { container, ...request })
      return { ...CONTAINER, name: container }
    },
    async remove(container, mutation) {
      ask("remove", container)
      return outcome({ id: CONTAINER.id, name: container }, mutation)
    },
    async reconcile(mutation) {
      ask("reconcile", strip({ ...mutation }))
      return {
        repairs: ['Put veth "ls-api" back on bridge "br-web"'],
        problems: [...(options.warnings ?? [])],
        plan: ["ip link set dev ls-api master br-web"],
        dryRun: mutation?.dryRun ?? false,
      }
    },
    leases: {
      async keep(options) {
        ask("leases.keep", options?.idleMs)
      },
    },
    names: {
      async query(request) {
        ask("names.query", request)
        accept("Cannot look up: the request has mistakes", checkNameQuery(request))
        return {
          name: request.name,
          type: request.type ?? "A",
          rcode: "NOERROR",
          records: [{ name: request.name, type: "A", ttlS: 0, data: "10.89.0.2" }],
          source: { kind: "name", name: request.name, reason: "name", networks: ["web"] },
        }
      },
      async records() {
        ask("names.records", undefined)
        return [
          { name: "api", kind: "container", network: "web", container: "api", addresses: [must(parseIp("10.89.0.2"))] },
        ]
      },
      async status() {
        ask("names.status", undefined)
        return {
          ...{ pid: 4711, runningS: 3725, memoryBytes: 60 << 20, servers: [must(parseIp("192.0.2.53"))] },
          ...{ containers: 12, gateways: 4, kept: 30, active: 1 },
          counters: { queries: 190, local: 100, cached: 50, forwarded: 35, failed: 2, refused: 3, malformed: 2 },
        }
      },
      async serve(request) {
        ask("names.serve", request)
      },
      async stop() {
        ask("names.stop", undefined)
        return true
      },
      async systemdUnit() {
        return "[Unit]\n"
      },
    },
    resident: {
      async serve() {
        ask("resident.serve", undefined)
      },
      async stop() {
        ask("resident.stop", undefined)
        return true
      },
      async systemdUnit() {
        return "[Unit]\n"
      },
    },
    async topology() {
      ask("topology", undefined)
      return TOPOLOGY
    },
    async explain(request) {
      ask("explain", request)
      const { cause, ...reached } = EXPLANATION
      return request.port === 81 ? EXPLANATION : { ...reached, reachable: true, hops: [] }
    },
    firewall: {
      async status() {
        ask("firewall.status", undefined)
        return FIREWALL
      },
      async integrate(mutation) {
        ask("firewall.integrate", undefined)
        return outcome(FIREWALL, mutation)
      },
      async remove(mutation) {
        ask("firewall.remove", undefined)
        return outcome(FIREWALL, mutation)
      },
      async rules() {
        ask("firewall.rules", undefined)
        return "table inet linkspan {\n}\n"
      },
    },
    async [Symbol.asyncDispose]() {
      disposed = true
    },
  }
}

export function failure(code: ErrorCode, message: string): LinkspanError {
  return new LinkspanError(code, { message })
}

function must<T>(value: T | undefined): T {
  if (value === undefined) {
    throw new Error("a constant of this test cannot be read")
  }
  return value
}

const COUNTERS = { rxBytes: 1_234_567, rxPackets: 1840, rxDropped: 0, txBytes: 98_000, txPackets: 900, txDropped: 0 }

function link(ifname: string, more: Partial<ActualLink> = {}): ActualLink {
  return {
    ifname: must(parseIfname(ifname)),
    ifindex: 12,
    up: true,
    operState: "up",
    mtu: 1500,
    mac: must(parseMac("02:42:0a:59:00:02")),
    addresses: [],
    counters: COUNTERS,
    ...more,
  }
}

const PUBLICATION: PublicationView = { protocol: "tcp", hostPort: 8080, containerPort: 80, count: 1 }

export const ENDPOINT: EndpointView = {
  id: "0123456789ab",
  container: "api",
  containerId: "c0ffee000001",
  network: "web",
  networkId: "4f2a91c03b7e",
  ifname: must(parseIfname("eth0")),
  hostIfname: must(parseIfname("ls0123456789")),
  mac: must(parseMac("02:42:0a:59:00:02")),
  addresses: ["10.89.0.2/24"],
  gateways: [must(parseIp("10.89.0.1"))],
  gatewayPriority: 0,
  aliases: ["backend"],
  publications: [PUBLICATION],
  actual: {
    container: link("eth0", { addresses: ["10.89.0.2/24"] }),
    host: { ...link("ls0123456789", { master: must(parseIfname("br-web")) }), port: 1, state: "forwarding" },
  },
}

export const NETWORK: NetworkView = {
  network: {
    id: "4f2a91c03b7e",
    name: "web",
    driver: "bridge",
    createdAt: "2026-01-02T03:04:05.000Z",
    labels: { tier: "front" },
    subnets: [{ prefix: must(parsePrefix("10.89.0.0/24")), gateway: must(parseIp("10.89.0.1")), reserved: [] }],
    internal: false,
    defaultRoute: true,
    containerIfname: "eth",
    bridge: must(parseIfname("br-web")),
    adopted: false,
    gatewayMode: "nat",
    icc: true,
  },
  subnets: [
    {
      prefix: must(parsePrefix("10.89.0.0/24")),
      gateway: must(parseIp("10.89.0.1")),
      reserved: [],
      free: "252",
      leased: 1,
    },
  ],
  endpoints: [ENDPOINT],
  actual: link("br-web", { mac: must(parseMac("02:42:00:00:00:01")), addresses: ["10.89.0.1/24"] }),
  problems: [],
}

export const NETWORK_SUMMARY: NetworkSummary = {
  id: "4f2a91c03b7e",
  name: "web",
  driver: "bridge",
  ifname: must(parseIfname("br-web")),
  subnets: [must(parsePrefix("10.89.0.0/24"))],
  mode: "nat",
  containers: 1,
}

export const CONTAINER: ContainerView = {
  id: "c0ffee000001",
  name: "api",
  status: "running",
  mode: "private",
  pid: 4242,
  command: ["python3", "-m", "http.server", "80"],
  createdAt: "2026-01-02T03:04:05.000Z",
  networks: [{ network: "web", addresses: ["10.89.0.2/24"] }],
  publications: [PUBLICATION],
  hostname: "api",
  labels: {},
  netns: { path: "/proc/4242/ns/net", inode: 4026532301, cookie: "4097" },
  endpoints: [ENDPOINT],
  routes: [
    { destination: "default", via: must(parseIp("10.89.0.1")), ifname: "eth0" },
    { destination: "10.89.0.0/24", ifname: "eth0" },
  ],
  problems: [],
}

export const FIREWALL: FirewallStatus = {
  loaded: true,
  obstacles: [
    {
      traffic: "forwarded",
      owner: "docker",
      where: 'chain "FORWARD" of table ip filter, policy drop',
      families: [4],
      remedy: "",
      integrable: true,
    },
  ],
  nameObstacles: [],
  integrations: [],
}

const TOPOLOGY: Topology = {
  version: "1",
  host: { id: "host", name: "host", status: "running", links: [], routes: [] },
  containers: [],
  networks: [],
  cables: [],
  gates: [],
  refusals: [],
}

const EXPLANATION: Explanation = {
  from: "api",
  to: "db:81/tcp",
  reachable: false,
  hops: [
    { place: "db", what: "is 10.89.0.3, IPv4" },
    { place: "api:eth0", what: "veth, index 2, MTU 1500" },
    { place: "container db", what: "nothing listens on tcp port 81", failed: true },
  ],
  cause: { code: "no-listener", message: "nothing listens on tcp port 81", remedy: "ss -lntp" },
  findings: ["\u001bodd"],
  tookMs: 3,
}
