// A container as Docker's API shows it.

import type { Endpoint, Publication, Sandbox } from "#model/sandbox.ts"
import type { ContainerStatus, ContainerSummary } from "#model/view.ts"
import { dockerId } from "./identity.ts"

/** Docker's word for each of ours. */
export const STATES: Readonly<Record<ContainerStatus, string>> = { running: "running", exited: "exited", gone: "dead" }

export interface ContainerFacts {
  readonly sandbox: Sandbox
  readonly summary: ContainerSummary
  readonly networks: readonly {
    readonly id: string
    readonly name: string
    /** Absent: one that is a mode of the container. */
    readonly endpoint?: Endpoint
  }[]
  /** What the container with that id is called. */
  readonly nameOf: (container: string) => string
}

/** A row of `docker ps`. */
export function summaryObject(facts: ContainerFacts): Record<string, unknown> {
  const { sandbox, summary, networks } = facts
  return {
    Id: dockerId(sandbox.id),
    Names: [`/${sandbox.name}`],
    Image: "",
    ImageID: "",
    Command: (summary.command ?? []).join(" "),
    Created: Math.floor(Date.parse(sandbox.createdAt) / 1000),
    Ports: networks.flatMap(({ endpoint }) => (endpoint === undefined ? [] : portRows(endpoint))),
    Labels: sandbox.labels,
    State: STATES[summary.status],
    Status: statusText(summary),
    HostConfig: { NetworkMode: networkMode(facts) },
    NetworkSettings: { Networks: networksObject(facts) },
    Mounts: [],
  }
}

export function containerObject(facts: ContainerFacts): Record<string, unknown> {
  const { sandbox, summary } = facts
  const running = summary.status === "running"
  const [path = "", ...args] = summary.command ?? []
  const ports = bindings(facts)
  return {
    Id: dockerId(sandbox.id),
    Created: sandbox.createdAt,
    Path: path,
    Args: args,
    State: {
      Status: STATES[summary.status],
      Running: running,
      Paused: false,
      Restarting: false,
      OOMKilled: false,
      Dead: summary.status === "gone",
      Pid: running ? (summary.pid ?? 0) : 0,
      ExitCode: summary.exitCode ?? 0,
      Error: "",
      StartedAt: sandbox.createdAt,
      FinishedAt: "0001-01-01T00:00:00Z",
    },
    Image: "",
    Name: `/${sandbox.name}`,
    RestartCount: 0,
    Driver: "",
    Platform: "linux",
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: "",
    ExecIDs: null,
    HostConfig: {
      NetworkMode: networkMode(facts),
      PortBindings: ports,
      RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
      AutoRemove: sandbox.process?.autoRemove ?? false,
      LogConfig: { Type: "", Config: {} },
    },
    Mounts: [],
    Config: {
      Hostname: sandbox.hostname,
      Domainname: "",
      ExposedPorts: Object.fromEntries(Object.keys(ports).map((port) => [port, {}])),
      Cmd: summary.command ?? null,
      Image: "",
      Labels: sandbox.labels,
    },
    NetworkSettings: {
      SandboxID: dockerId(sandbox.id),
      SandboxKey: sandbox.place?.kind === "path" ? sandbox.place.path : "",
      Ports: ports,
      Networks: networksObject(facts),
    },
  }
}

/** The first network's name, or the mode. */
function networkMode({ sandbox, networks }: ContainerFacts): string {
  return sandbox.mode === "shared" && sandbox.sharedWith !== undefined
    ? `container:${dockerId(sandbox.sharedWith)}`
    : (networks[0]?.name ?? "none")
}

function statusText({ status, exitCode }: ContainerSummary): string {
  switch (status) {
    case "running":
      return "Up"
    case "exited":
      return `Exited (${exitCode ?? 0})`
    case "gone":
      return "Dead"
  }
}

function networksObject(facts: ContainerFacts): Record<string, unknown> {
  return Object.fromEntries(facts.networks.map(({ id, name, endpoint }) => [name, endpointObject(facts, id, endpoint)]))
}

function endpointObject(
  { sandbox, nameOf }: ContainerFacts,
  network: string,
  endpoint: Endpoint | undefined,
): Record<string, unknown> {
  const isOf =
    (family: 4 | 6): ((ip: string) => boolean) =>
    (ip) =>
      ip.includes(":") === (family === 6)
  const address = (family: 4 | 6) => endpoint?.addresses.find(({ ip }) => isOf(family)(ip))
  const gateway = (family: 4 | 6) => endpoint?.gateways.find(isOf(family)) ?? ""
  const aliases = endpoint?.aliases ?? []
  return {
    IPAMConfig: null,
    Links: endpoint?.links?.map(({ containerId, alias }) => `${nameOf(containerId)}:${alias}`) ?? null,
    Aliases: aliases.length === 0 ? null : aliases,
    DriverOpts: null,
    GwPriority: endpoint?.gatewayPriority ?? 0,
    NetworkID: dockerId(network),
    EndpointID: endpoint === undefined ? "" : dockerId(endpoint.id),
    Gateway: gateway(4),
    IPAddress: address(4)?.ip ?? "",
    MacAddress: endpoint?.mac ?? "",
    IPPrefixLen: address(4)?.length ?? 0,
    IPv6Gateway: gateway(6),
    GlobalIPv6Address: address(6)?.ip ?? "",
    GlobalIPv6PrefixLen: address(6)?.length ?? 0,
    DNSNames: endpoint === undefined ? null : [...new Set([sandbox.name, ...aliases, sandbox.id, sandbox.hostname])],
  }
}

/** Where a published port is reached: one binding for each family that it is open in. */
function hostAddresses({ hostIp }: Publication, { addresses }: Endpoint): string[] {
  const has = (family: 4 | 6): boolean => addresses.some(({ ip }) => ip.includes(":") === (family === 6))
  return hostIp === undefined ? [...(has(4) ? ["0.0.0.0"] : []), ...(has(6) ? ["::"] : [])] : [hostIp]
}

function* singlePorts({ hostPort, containerPort, count }: Publication): Generator<{ host: number; container: number }> {
  for (let index = 0; index < count; index++) {
    yield { host: hostPort + index, container: containerPort + index }
  }
}

function portRows(endpoint: Endpoint): Record<string, unknown>[] {
  return endpoint.publications.flatMap((publication) =>
    [...singlePorts(publication)].flatMap(({ host, container }) =>
      hostAddresses(publication, endpoint).map((ip) => ({
        IP: ip,
        PrivatePort: container,
        PublicPort: host,
        Type: publication.protocol,
      })),
    ),
  )
}

function bindings({ networks }: ContainerFacts): Record<string, { HostIp: string; HostPort: string }[]> {
  const ports: Record<string, { HostIp: string; HostPort: string }[]> = {}
  for (const { endpoint } of networks) {
    for (const publication of endpoint?.publications ?? []) {
      for (const { host, container } of singlePorts(publication)) {
        const key = `${container}/${publication.protocol}`
        const own = hostAddresses(publication, endpoint as Endpoint)
        ports[key] = [...(ports[key] ?? []), ...own.map((ip) => ({ HostIp: ip, HostPort: String(host) }))]
      }
    }
  }
  return ports
}
