// The engine as one object: what the library exports and every front door calls. Each method is one verb in a file of
// its own beside this one; this class only holds the host they act on.

import type {
  AttachRequest, ConnectRequest, CreateNetworkRequest, PublishRequest, RunRequest, UpdateNetworkRequest,
} from "#model/request.ts"
import type {
  ContainerSummary, ContainerView, EndpointView, FirewallStatus, NetworkSummary, NetworkView, Outcome,
  PublicationView, ReconcileReport,
} from "#model/view.ts"

export interface LinkspanOptions {
  /** Where the database lives: LINKSPAN_STATE_DIR, else /var/lib/linkspan. */
  readonly stateDir?: string
  /** Logs and other things that need not survive a reboot: LINKSPAN_RUN_DIR, else /run/linkspan (or below stateDir when that was given). */
  readonly runDir?: string
  /** Path of the network namespace that plays the host; the process's own when absent. */
  readonly hostNetns?: string
  /** Called with every netlink message, decoded, and every nft transaction. */
  readonly trace?: (line: string) => void
  /** Default address pools, as "10.89.0.0/16/24" (pool / size of one subnet). */
  readonly pools?: readonly string[]
}

export interface MutationOptions {
  /** Plan only; nothing is changed. */
  readonly dryRun?: boolean
  /** Called before operation `index` (0-based) is carried out and once more with index === total at the end. */
  readonly onProgress?: (step: { readonly index: number; readonly total: number; readonly line: string }) => void
}

/** A process started by run or exec in the foreground. */
export interface Running {
  readonly container: ContainerSummary
  readonly pid: number
  /** Resolves with the exit status, 128 + n when signal n ended it. */
  readonly exited: Promise<number>
  kill(signal: NodeJS.Signals | number): void
}

export interface LinkspanApi extends AsyncDisposable {
  readonly networks: {
    create(request: CreateNetworkRequest, options?: MutationOptions): Promise<Outcome<NetworkView>>
    list(): Promise<NetworkSummary[]>
    inspect(network: string): Promise<NetworkView>
    update(request: UpdateNetworkRequest, options?: MutationOptions): Promise<Outcome<NetworkView>>
    /** `force` detaches the containers first. */
    remove(network: string, options?: MutationOptions & { readonly force?: boolean }): Promise<Outcome<{ id: string; name: string }>>
    /** Removes every network without containers (and matching all labels, "key" or "key=value"). */
    prune(options?: MutationOptions & { readonly labels?: readonly string[] }): Promise<Outcome<{ id: string; name: string }[]>>
    connect(request: ConnectRequest, options?: MutationOptions): Promise<Outcome<EndpointView>>
    disconnect(request: { readonly container: string; readonly network: string }, options?: MutationOptions): Promise<Outcome<EndpointView>>
  }
  attach(request: AttachRequest, options?: MutationOptions): Promise<Outcome<ContainerView>>
  /** Takes a container off all its networks and forgets it; its namespace stays unless linkspan made it. */
  detach(container: string, options?: MutationOptions): Promise<Outcome<{ id: string; name: string }>>
  publish(container: string, ports: readonly PublishRequest[], options?: MutationOptions): Promise<Outcome<PublicationView[]>>
  unpublish(container: string, ports: readonly PublishRequest[], options?: MutationOptions): Promise<Outcome<PublicationView[]>>
  /** The foreground process has the caller's standard streams; a detached one writes to its log. */
  run(request: RunRequest, options?: MutationOptions): Promise<Outcome<Running>>
  exec(container: string, request: { readonly command: readonly string[]; readonly env?: Readonly<Record<string, string>>; readonly workdir?: string; readonly user?: string }): Promise<Running>
  list(options?: { readonly all?: boolean }): Promise<ContainerSummary[]>
  inspect(container: string): Promise<ContainerView>
  logs(container: string, options?: { readonly follow?: boolean; readonly tail?: number }): AsyncIterable<Uint8Array>
  /** SIGTERM, then SIGKILL after the timeout (10 s). */
  stop(container: string, options?: { readonly timeoutMs?: number; readonly signal?: string }): Promise<ContainerSummary>
  /** Removes an exited container (a running one only with `force`). */
  remove(container: string, options?: MutationOptions & { readonly force?: boolean }): Promise<Outcome<{ id: string; name: string }>>
  reconcile(options?: MutationOptions): Promise<ReconcileReport>
  readonly firewall: {
    status(): Promise<FirewallStatus>
    integrate(options?: MutationOptions): Promise<Outcome<FirewallStatus>>
    remove(options?: MutationOptions): Promise<Outcome<FirewallStatus>>
  }
}
