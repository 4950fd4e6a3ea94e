// The engine as one object: what the library exports and every front door calls. Each method is one verb in a file of
// its own beside this one; this class only holds the host they act on.

import type { Explanation as NameExplanation } from "#dns/explanation.ts"
import type { CaptureRequest } from "#model/capture.ts"
import type { Diagnosis, DoctorRequest } from "#model/doctor.ts"
import type { Event, EventsRequest, Happening } from "#model/event.ts"
import type { ExplainRequest, Explanation } from "#model/explain.ts"
import type {
  AssignCableRequest,
  AttachRequest,
  ConnectRequest,
  CreateNetworkRequest,
  DescribeRequest,
  LayCableRequest,
  NameQueryRequest,
  PublishCableRequest,
  PublishRequest,
  ReservePoolRequest,
  RunRequest,
  SetUpRequest,
  TakeAddressRequest,
  TearDownRequest,
  UpdateNetworkRequest,
} from "#model/request.ts"
import type { ReservedPool } from "#model/reserved-pool.ts"
import type { Service } from "#model/service.ts"
import type { Topology } from "#model/topology.ts"
import type {
  CableView,
  ContainerSummary,
  ContainerView,
  EndpointView,
  FirewallStatus,
  NameRecord,
  NameServing,
  NetworkSummary,
  NetworkView,
  Outcome,
  PublicationView,
  ReconcileReport,
  SetUpView,
  State,
  Statistics,
  TornDown,
} from "#model/view.ts"
import type { HeldPorts } from "./held-ports.ts"
import type { Host } from "./host.ts"
import type { IntegrationOwner } from "./integrations/integration.ts"
import type { LogOptions } from "./logs.ts"
import type { NoteAddress } from "./notes.ts"

export interface LinkspanOptions {
  /** Where the database lives: LINKSPAN_STATE_DIR, else /var/lib/linkspan. */
  readonly stateDir?: string
  /** Logs and other things that need not survive a reboot: LINKSPAN_RUN_DIR, else /run/linkspan (or below stateDir when that was given). */
  readonly runDir?: string
  /** Path of the network namespace that plays the host; the process's own when absent. */
  readonly hostNetns?: string
  /** Called with every netlink message, decoded, and every nft transaction. */
  readonly trace?: (line: string) => void
  /** The process ends right after this is disposed: closing is left to the kernel, which is faster (SQLite would fold its log in). */
  readonly oneShot?: boolean
  /** False: no names are answered on behalf of this instance; no daemon is told, and none is started. */
  readonly names?: boolean
  /** True: where no resident process runs, a change starts one, for commands to be handed to; it ends by itself. */
  readonly leaveResident?: boolean
  /** Default address pools, as "10.89.0.0/16/24" (pool / size of one subnet). */
  readonly pools?: readonly string[]
}

export interface MutationOptions {
  /** Plan only; nothing is changed. */
  readonly dryRun?: boolean
  /** Called before operation `index` (0-based) is carried out and once more with index === total at the end. */
  readonly onProgress?: (step: { readonly index: number; readonly total: number; readonly line: string }) => void
}

export interface PruneOptions extends MutationOptions {
  /** Only networks with all of these, as "key" or "key=value". */
  readonly labels?: readonly string[]
  /** Only networks with none of these. */
  readonly withoutLabels?: readonly string[]
  /** Only networks that are older than that; ISO 8601. */
  readonly createdBefore?: string
}

export interface ReconcileOptions extends MutationOptions {
  /** When the host's networks belong to another state: they are this one's from now on. For a state that is lost. */
  readonly takeOver?: boolean
}

/** A process started by run or exec in the foreground. */
export interface Running {
  readonly container: ContainerSummary
  readonly pid: number
  /** Resolves with the exit status, 128 + n when signal n ended it. */
  readonly exited: Promise<number>
  kill(signal: NodeJS.Signals | number): void
  /** Until disposed, signals that are sent to this process alone go to that one (what a terminal sends reaches both). */
  forwardSignals(): Disposable
}

export interface ExecRequest {
  readonly command: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly workdir?: string
  /** USER, USER:GROUP, UID or UID:GID. */
  readonly user?: string
}

export interface StopOptions {
  /** How long the process may take to end by itself; 10 s when absent. */
  readonly timeoutMs?: number
  /** SIGTERM when absent. */
  readonly signal?: string
}

export interface NameAnswer extends NameExplanation {
  readonly name: string
  readonly type: string
}

export interface KeepLeasesOptions {
  /** One line for people. */
  readonly log?: (line: string) => void
  readonly signal?: AbortSignal
  /** Ends when nothing has been lent for that long, and at once where another process is at it. */
  readonly idleMs?: number
}

export interface ServeNamesOptions {
  /** Ends when no container needs it. */
  readonly onDemand?: boolean
  /** What went wrong without ending it, a line each. */
  readonly log?: (line: string) => void
  readonly signal?: AbortSignal
  /** A descriptor that a byte is written to, and that is closed, once names are in force. */
  readonly readyFd?: number
  /** NOTIFY_SOCKET of sd_notify(3). */
  readonly notifySocket?: string
}

export interface ServeOptions {
  /** Started in this order, ended in the other. */
  readonly services: readonly (() => Promise<Service>)[]
  /** Aborted when it is to end. */
  readonly signal: AbortSignal
  /** Nobody asked for it: it leaves the place to one that somebody did ask for, and says nothing where there is one already. */
  readonly onDemand?: boolean
  /** The descriptor that its starter keeps others from starting one with; closed. */
  readonly lockFd?: number
  /** What is worth a line while it runs. */
  readonly log?: (line: string) => void
  /** NOTIFY_SOCKET of sd_notify(3). */
  readonly notifySocket?: string
}

export interface WatchOptions {
  /** Called with everything that was seen and done. */
  readonly onEvent?: (happening: Happening) => void
  /** How often refused packets are counted: 5 s when absent. */
  readonly refusalsMs?: number
  /** What went wrong without ending it, a line each. */
  readonly log?: (line: string) => void
}

export interface LinkspanApi extends AsyncDisposable {
  readonly networks: {
    create(request: CreateNetworkRequest, options?: MutationOptions): Promise<Outcome<NetworkView>>
    list(): Promise<NetworkSummary[]>
    inspect(network: string): Promise<NetworkView>
    update(request: UpdateNetworkRequest, options?: MutationOptions): Promise<Outcome<NetworkView>>
    /** `force` detaches the containers first. */
    remove(
      network: string,
      options?: MutationOptions & { readonly force?: boolean },
    ): Promise<Outcome<{ id: string; name: string }>>
    /** Removes every network without containers. */
    prune(options?: PruneOptions): Promise<Outcome<{ id: string; name: string }[]>>
    connect(request: ConnectRequest, options?: MutationOptions): Promise<Outcome<EndpointView>>
    disconnect(
      request: { readonly container: string; readonly network: string },
      options?: MutationOptions,
    ): Promise<Outcome<EndpointView>>
  }
  /** For programs that make containers' namespaces and plug cables in by themselves. */
  readonly cables: {
    lay(request: LayCableRequest, options?: MutationOptions): Promise<Outcome<CableView>>
    assign(request: AssignCableRequest, options?: MutationOptions): Promise<Outcome<CableView>>
    publish(request: PublishCableRequest, options?: MutationOptions): Promise<Outcome<CableView>>
    /** @throws LinkspanError ENDPOINT_NOT_FOUND */
    inspect(id: string): Promise<CableView>
    /** What is gone already is no mistake: false. */
    remove(id: string, options?: MutationOptions): Promise<Outcome<boolean>>
    /** Sockets at published ports, so that other programs find them taken, until it is disposed. */
    holdPorts(): Promise<HeldPorts>
  }
  /** For programs that manage networks' addresses by themselves. */
  readonly pools: {
    reserve(request: ReservePoolRequest): Promise<ReservedPool>
    /** What is gone already is no mistake: false. */
    release(pool: string): Promise<boolean>
    take(request: TakeAddressRequest): Promise<string>
    give(request: { readonly pool: string; readonly address: string }): Promise<boolean>
  }
  /** For programs that know only later what their things are called. What is gone already is no mistake: false. */
  describe(request: DescribeRequest, options?: MutationOptions): Promise<Outcome<boolean>>
  attach(request: AttachRequest, options?: MutationOptions): Promise<Outcome<ContainerSummary>>
  /** Takes a container off all its networks and forgets it; its namespace stays unless linkspan made it. */
  detach(container: string, options?: MutationOptions): Promise<Outcome<{ id: string; name: string }>>
  /** Networks for a container that another program made, on networks that it describes; made as far as they are missing. */
  setUp(request: SetUpRequest, options?: MutationOptions): Promise<Outcome<SetUpView>>
  /** The counterpart: what is gone already is no mistake. */
  tearDown(request: TearDownRequest, options?: MutationOptions): Promise<Outcome<TornDown>>
  publish(
    container: string,
    ports: readonly PublishRequest[],
    options?: MutationOptions,
  ): Promise<Outcome<PublicationView[]>>
  unpublish(
    container: string,
    ports: readonly PublishRequest[],
    options?: MutationOptions,
  ): Promise<Outcome<PublicationView[]>>
  /** The foreground process has the caller's standard streams; a detached one writes to its log. */
  run(request: RunRequest, options?: MutationOptions): Promise<Outcome<Running>>
  exec(container: string, request: ExecRequest): Promise<Running>
  list(options?: { readonly all?: boolean }): Promise<ContainerSummary[]>
  inspect(container: string): Promise<ContainerView>
  logs(container: string, options?: LogOptions): AsyncIterable<Uint8Array>
  /** SIGTERM, then SIGKILL after the timeout (10 s). */
  stop(container: string, options?: StopOptions): Promise<ContainerSummary>
  /** Removes an exited container (a running one only with `force`). */
  remove(
    container: string,
    options?: MutationOptions & { readonly force?: boolean },
  ): Promise<Outcome<{ id: string; name: string }>>
  reconcile(options?: ReconcileOptions): Promise<ReconcileReport>
  /** What a front door keeps that is no part of the model: texts, as durable as the state. */
  readonly notes: {
    list(door: string): Promise<ReadonlyMap<string, string>>
    /** @throws LinkspanError NAME_IN_USE when there is one */
    put(note: NoteAddress & { readonly text: string }): Promise<void>
    /** False when there is none. */
    remove(note: NoteAddress): Promise<boolean>
  }
  /** What is configured; the kernel is not asked. The same object as long as nothing changes. */
  state(): Promise<State>
  /** Calls after every change of the state, whoever makes it; changes in quick succession may come as one. */
  watchState(onChange: (state: State) => void): Promise<Disposable>
  readonly resident: {
    /** Is the host's resident process, until it is told to stop. @throws LinkspanError BUSY when another process is */
    serve(options: ServeOptions): Promise<void>
    /** Ends the host's resident process; false when there is none. */
    stop(): Promise<boolean>
    /** Text of a unit file. */
    systemdUnit(args: readonly string[]): Promise<string>
  }
  /** What is wrong with the host and its networks, by trying. */
  doctor(request?: DoctorRequest): Promise<Diagnosis>
  /** Packets of a container's interfaces, as a pcapng file in pieces; until aborted, or the container ends. */
  capture(request: CaptureRequest, options?: { readonly signal?: AbortSignal }): AsyncIterable<Uint8Array>
  /** Traffic of every container, and refused packets. */
  statistics(): Promise<Statistics>
  /** The same now and after every interval, until nobody asks any more. */
  watchStatistics(intervalMs: number, options?: { readonly signal?: AbortSignal }): AsyncIterable<Statistics>
  /** What has happened and, with `follow`, what happens. @throws LinkspanError INVALID_REQUEST */
  events(request?: EventsRequest, options?: { readonly signal?: AbortSignal }): AsyncIterable<Event>
  /** Heals what is damaged now, and whatever somebody damages until it is disposed of. */
  watch(options?: WatchOptions): Promise<AsyncDisposable>
  readonly leases: {
    /** Renews what DHCP servers have lent, until it is told to stop; one process at a time, others wait for their turn. */
    keep(options?: KeepLeasesOptions): Promise<void>
  }
  readonly names: {
    /** What a container is told about a name, by whom and why. */
    query(request: NameQueryRequest): Promise<NameAnswer>
    records(): Promise<NameRecord[]>
    /** What the process that answers names has done; undefined when there is none. */
    status(): Promise<NameServing | undefined>
    /** Answers the names of containers until it is told to stop. @throws LinkspanError BUSY when another process does */
    serve(options?: ServeNamesOptions): Promise<void>
    /** Ends the process that answers names; false when there is none. */
    stop(): Promise<boolean>
    /** Text of a unit file. */
    systemdUnit(): Promise<string>
  }
  /** Whether one place reaches another, by which way, and what stops it. */
  explain(request: ExplainRequest): Promise<Explanation>
  /** How everything is wired, by the kernel's own account. */
  topology(): Promise<Topology>
  readonly firewall: {
    status(): Promise<FirewallStatus>
    /** `owners`: only with these. */
    integrate(
      options?: MutationOptions & { readonly owners?: readonly IntegrationOwner[] },
    ): Promise<Outcome<FirewallStatus>>
    remove(options?: MutationOptions): Promise<Outcome<FirewallStatus>>
    /** linkspan's tables with what this state wants in them, as text for `nft -f`. */
    rules(): Promise<string>
  }
}

/** Where state and sockets are, with what is not said filled in. */
export function placesOf(options: LinkspanOptions): { readonly stateDir: string; readonly runDir: string } {
  const { stateDir = DEFAULT_STATE_DIR } = options
  const runDir = options.runDir ?? (options.stateDir === undefined ? DEFAULT_RUN_DIR : `${stateDir}/run`)
  return { stateDir, runDir }
}

const DEFAULT_STATE_DIR = "/var/lib/linkspan"
const DEFAULT_RUN_DIR = "/run/linkspan"

/**
 * The engine on one host. Each verb's code is loaded when it is first called, so that a process that does one thing
 * starts as fast as that one thing allows.
 *
 * Methods throw LinkspanError, and have then changed nothing unless the error's code says otherwise.
 */
export class Linkspan implements LinkspanApi {
  readonly #host: Host

  private constructor(host: Host) {
    this.#host = host
  }

  /** @throws LinkspanError STATE_UNUSABLE, NETNS_NOT_FOUND */
  static async open(options: LinkspanOptions = {}): Promise<Linkspan> {
    const { Host: Opened } = await import("./host.ts")
    return new Linkspan(Opened.open({ ...options, ...placesOf(options) }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#host[Symbol.dispose]()
  }

  /** Lets go of the containers that were looked at: an open namespace would live on when its container is gone. */
  #look<T>(look: () => T): T {
    try {
      return look()
    } finally {
      this.#host.forgetSandboxes()
    }
  }

  readonly networks: LinkspanApi["networks"] = {
    create: async (request, options = {}) =>
      (await import("./create-network.ts")).createNetwork(this.#host, request, options),
    list: async () => {
      const { listNetworks } = await import("./inspect-network.ts")
      return this.#look(() => listNetworks(this.#host))
    },
    inspect: async (network) => {
      const { inspectNetwork } = await import("./inspect-network.ts")
      return this.#look(() => inspectNetwork(this.#host, network))
    },
    update: async (request, options = {}) =>
      (await import("./update-network.ts")).updateNetwork(this.#host, request, options),
    remove: async (network, options = {}) =>
      (await import("./remove-network.ts")).removeNetwork(this.#host, network, options),
    prune: async (options = {}) => (await import("./remove-network.ts")).pruneNetworks(this.#host, options),
    connect: async (request, options = {}) => (await import("./connect.ts")).connect(this.#host, request, options),
    disconnect: async (request, options = {}) =>
      (await import("./disconnect.ts")).disconnect(this.#host, request, options),
  }

  readonly cables: LinkspanApi["cables"] = {
    lay: async (request, options = {}) => (await import("./cables.ts")).layCable(this.#host, request, options),
    assign: async (request, options = {}) => (await import("./cables.ts")).assignCable(this.#host, request, options),
    publish: async (request, options = {}) => (await import("./cables.ts")).publishCable(this.#host, request, options),
    inspect: async (id) => (await import("./cables.ts")).inspectCable(this.#host, id),
    remove: async (id, options = {}) => (await import("./cables.ts")).removeCable(this.#host, id, options),
    holdPorts: async () => new (await import("./held-ports.ts")).HeldPorts(this.#host),
  }

  readonly pools: LinkspanApi["pools"] = {
    reserve: async (request) => (await import("./pools.ts")).reservePool(this.#host, request),
    release: async (pool) => (await import("./pools.ts")).releasePool(this.#host, pool),
    take: async (request) => (await import("./pools.ts")).takeAddress(this.#host, request),
    give: async (request) => (await import("./pools.ts")).giveAddress(this.#host, request),
  }

  readonly leases: LinkspanApi["leases"] = {
    keep: async (options = {}) => (await import("./leases/keep-leases.ts")).keepLeases(this.#host, options),
  }

  readonly names: LinkspanApi["names"] = {
    query: async (request) => (await import("./names/query.ts")).queryName(this.#host, request),
    records: async () => (await import("./names/query.ts")).listNames(this.#host),
    status: async () => (await import("./names/status.ts")).nameStatus(this.#host),
    serve: async (options = {}) => (await import("./names/daemon.ts")).serveNames(this.#host, options),
    stop: async () => (await import("./names/stop.ts")).stopNames(this.#host),
    systemdUnit: async () => (await import("./names/systemd-unit.ts")).systemdUnit(),
  }

  readonly resident: LinkspanApi["resident"] = {
    serve: async (options) => (await import("./resident.ts")).serve(this.#host, options),
    stop: async () => (await import("./resident.ts")).stopServing(this.#host),
    systemdUnit: async (args) => (await import("./systemd-unit.ts")).residentUnit(args),
  }

  readonly notes: LinkspanApi["notes"] = {
    list: async (door) => (await import("./notes.ts")).listNotes(this.#host, door),
    put: async (note) => (await import("./notes.ts")).putNote(this.#host, note),
    remove: async (note) => (await import("./notes.ts")).removeNote(this.#host, note),
  }

  readonly firewall: LinkspanApi["firewall"] = {
    status: async () => (await import("./firewall-status.ts")).firewallStatus(this.#host),
    integrate: async (options = {}) => (await import("./firewall-integrate.ts")).integrateFirewall(this.#host, options),
    remove: async (options = {}) => (await import("./firewall-integrate.ts")).removeIntegration(this.#host, options),
    rules: async () => (await import("./firewall.ts")).rulesText(this.#host),
  }

  async describe(request: DescribeRequest, options: MutationOptions = {}): Promise<Outcome<boolean>> {
    return (await import("./describe.ts")).describe(this.#host, request, options)
  }

  async attach(request: AttachRequest, options: MutationOptions = {}): Promise<Outcome<ContainerSummary>> {
    return (await import("./attach.ts")).attach(this.#host, request, options)
  }

  async detach(container: string, options: MutationOptions = {}): Promise<Outcome<{ id: string; name: string }>> {
    return (await import("./detach.ts")).detach(this.#host, container, options)
  }

  async setUp(request: SetUpRequest, options: MutationOptions = {}): Promise<Outcome<SetUpView>> {
    return (await import("./set-up.ts")).setUp(this.#host, request, options)
  }

  async tearDown(request: TearDownRequest, options: MutationOptions = {}): Promise<Outcome<TornDown>> {
    return (await import("./tear-down.ts")).tearDown(this.#host, request, options)
  }

  async publish(
    container: string,
    ports: readonly PublishRequest[],
    options: MutationOptions = {},
  ): Promise<Outcome<PublicationView[]>> {
    return (await import("./publish.ts")).publish(this.#host, container, ports, options)
  }

  async unpublish(
    container: string,
    ports: readonly PublishRequest[],
    options: MutationOptions = {},
  ): Promise<Outcome<PublicationView[]>> {
    return (await import("./publish.ts")).unpublish(this.#host, container, ports, options)
  }

  async run(request: RunRequest, options: MutationOptions = {}): Promise<Outcome<Running>> {
    return (await import("./run.ts")).run(this.#host, request, options)
  }

  async exec(container: string, request: ExecRequest): Promise<Running> {
    return (await import("./exec.ts")).exec(this.#host, container, request)
  }

  async list(options: { readonly all?: boolean } = {}): Promise<ContainerSummary[]> {
    const { listContainers } = await import("./inspect-container.ts")
    return this.#look(() => listContainers(this.#host, options))
  }

  async inspect(container: string): Promise<ContainerView> {
    const { inspectContainer } = await import("./inspect-container.ts")
    return this.#look(() => inspectContainer(this.#host, container))
  }

  async *logs(container: string, options: LogOptions = {}): AsyncIterable<Uint8Array> {
    yield* (await import("./logs.ts")).logs(this.#host, container, options)
  }

  async stop(container: string, options: StopOptions = {}): Promise<ContainerSummary> {
    return (await import("./stop.ts")).stop(this.#host, container, options)
  }

  async remove(
    container: string,
    options: MutationOptions & { readonly force?: boolean } = {},
  ): Promise<Outcome<{ id: string; name: string }>> {
    return (await import("./remove-container.ts")).removeContainer(this.#host, container, options)
  }

  async topology(): Promise<Topology> {
    const { topology } = await import("./topology.ts")
    return this.#look(() => topology(this.#host))
  }

  async explain(request: ExplainRequest): Promise<Explanation> {
    const { explain } = await import("./explain/explain.ts")
    return explain(this.#host, request, (look) => this.#look(look))
  }

  async state(): Promise<State> {
    return (await import("./state.ts")).readState(this.#host)
  }

  async watchState(onChange: (state: State) => void): Promise<Disposable> {
    return (await import("./state.ts")).watchState(this.#host, onChange)
  }

  async reconcile(options: ReconcileOptions = {}): Promise<ReconcileReport> {
    return (await import("./reconcile.ts")).reconcile(this.#host, options)
  }

  async doctor(request: DoctorRequest = {}): Promise<Diagnosis> {
    const { diagnose } = await import("./doctor/doctor.ts")
    try {
      return await diagnose(this.#host, request)
    } finally {
      this.#host.forgetSandboxes()
    }
  }

  async *capture(request: CaptureRequest, options: { readonly signal?: AbortSignal } = {}): AsyncIterable<Uint8Array> {
    yield* (await import("./capture.ts")).capture(this.#host, request, options)
  }

  async statistics(): Promise<Statistics> {
    const { statistics } = await import("./statistics.ts")
    return this.#look(() => statistics(this.#host))
  }

  async *watchStatistics(
    intervalMs: number,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): AsyncIterable<Statistics> {
    const { setTimeout } = await import("node:timers/promises")
    while (signal?.aborted !== true) {
      yield await this.statistics()
      await setTimeout(intervalMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
    }
  }

  async *events(request: EventsRequest = {}, options: { readonly signal?: AbortSignal } = {}): AsyncIterable<Event> {
    yield* (await import("./events.ts")).events(this.#host, request, options)
  }

  async watch(options: WatchOptions = {}): Promise<AsyncDisposable> {
    return (await import("./watch/watch.ts")).watchHost(this.#host, options)
  }
}
