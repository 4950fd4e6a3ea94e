// What users may ask for: the shapes that every front door parses into and that the library takes. Fields are text
// where users write text; `validate-*.ts` beside this file turns them into model values or into a list of issues.

import type { InterfaceSettingsRequest } from "./interface-settings.ts"
import type { RateRequest } from "./rate.ts"

export interface SubnetRequest {
  readonly prefix: string
  readonly gateway?: string
  readonly range?: string
  readonly reserved?: readonly string[]
}

/** A name with fixed addresses; "*.apps" stands for every name below "apps". */
export interface DnsRecordRequest {
  readonly name: string
  readonly addresses: readonly string[]
}

/** What one container has of its own beside the names of its networks. */
export interface ContainerDnsRequest {
  /** Asked about the rest of the world instead of the networks' or the host's servers. */
  readonly servers?: readonly string[]
  readonly search?: readonly string[]
  /** Of resolv.conf(5): "ndots:2", … */
  readonly options?: readonly string[]
  readonly hosts?: readonly DnsRecordRequest[]
  /** Other containers, by name or id, under names that only this one knows. */
  readonly links?: readonly { readonly container: string; readonly alias: string }[]
  /** False: nothing listens at 127.0.0.11 in the container, for one with a name server of its own at port 53. */
  readonly resolver?: boolean
}

/** A question as a container would ask it. */
export interface NameQueryRequest {
  /** A domain name, or an address whose name is wanted. */
  readonly name: string
  /** "A" when absent, "PTR" for an address. */
  readonly type?: string
  readonly from: string
}

export interface CreateNetworkRequest {
  readonly name: string
  /**
   * Twelve hexadecimal digits that another program finds the network by again: asking for the same one twice is asking
   * once. Chosen when absent.
   */
  readonly id?: string
  readonly driver?: string
  readonly subnets?: readonly SubnetRequest[]
  /** Who gives addresses: "pool" (linkspan, from the subnets) when absent, or "dhcp" (a server on the network). */
  readonly ipam?: string
  /** Default true; false makes a network without IPv4. */
  readonly ipv4?: boolean
  /** True picks a ULA prefix when no IPv6 subnet is given. */
  readonly ipv6?: boolean
  /** "auto": of the interface that the host's default route leaves by, where there is one. For bridges. */
  readonly mtu?: number | "auto"
  /** Name of the bridge to make. */
  readonly bridge?: string
  /** Name of an existing bridge to use. */
  readonly adopt?: string
  /** 1 to 4094: the containers' ports are in this VLAN of the bridge, untagged. */
  readonly vlan?: number
  /** Name of a VRF device of the host's, which the new bridge is put into. */
  readonly vrf?: string
  readonly internal?: boolean
  readonly gatewayMode?: string
  readonly icc?: boolean
  /** "strict" when absent, "guarded" or "open". */
  readonly isolation?: string
  /** Sources of what leaves a NAT network, at most one a family: addresses of the host. */
  readonly outbound?: readonly string[]
  /** Default true; false: what leaves a NAT network keeps the container's address. Ports are published all the same. */
  readonly masquerade?: boolean
  /** True: whoever is outside and has a route reaches the containers' addresses at every port, not at published ones alone. */
  readonly direct?: boolean
  readonly defaultRoute?: boolean
  readonly metric?: number
  readonly containerIfname?: string
  readonly parent?: string
  /** macvlan or ipvlan mode. */
  readonly mode?: string
  /** Of macvlan: from how many interfaces on broadcasts are queued rather than delivered at once. */
  readonly broadcastCutoff?: number
  readonly labels?: Readonly<Record<string, string>>
  /** Default true; false: no names are answered on the network. */
  readonly dns?: boolean
  /** Another program answers at the gateways: port 53 is left to it. */
  readonly dnsElsewhere?: boolean
  /** The port at which that program answers: what is asked at port 53 is led there. 53 when absent. */
  readonly dnsPort?: number
  /** Asked about the rest of the world instead of the host's servers. */
  readonly dnsServers?: readonly string[]
  readonly dnsRecords?: readonly DnsRecordRequest[]
  /** Default true; false: each question about the rest of the world is asked anew. */
  readonly dnsCache?: boolean
  /** Routes of the containers, beside the default route. */
  readonly routes?: readonly StaticRouteRequest[]
}

export interface StaticRouteRequest {
  readonly destination: string
  /** "unicast" when absent, which needs `via`; the others ("blackhole", "unreachable", "prohibit") take none. */
  readonly type?: string
  readonly via?: string
  readonly metric?: number
}

export interface UpdateNetworkRequest {
  readonly network: string
  readonly addSubnets?: readonly SubnetRequest[]
  readonly mtu?: number
  readonly internal?: boolean
  readonly icc?: boolean
  readonly isolation?: string
  /** "nat" or "routed". */
  readonly gatewayMode?: string
  readonly addLabels?: Readonly<Record<string, string>>
  readonly removeLabels?: readonly string[]
  readonly dns?: boolean
  /** Instead of the present ones. */
  readonly dnsServers?: readonly string[]
  /** Instead of what those names have at present; a name without addresses is taken away. */
  readonly dnsRecords?: readonly DnsRecordRequest[]
  readonly dnsCache?: boolean
}

export interface ConnectRequest {
  /** Name or id. */
  readonly container: string
  readonly network: string
  /** Fixed addresses of its subnets; a family without one gets an automatic one. */
  readonly addresses?: readonly string[]
  readonly mac?: string
  readonly ifname?: string
  /** Name of the cable's other end, with the host; chosen when absent. For bridge networks. */
  readonly hostIfname?: string
  readonly gatewayPriority?: number
  readonly aliases?: readonly string[]
  /** Other containers of the network, by name or id, under names that only this one knows. */
  readonly links?: readonly { readonly container: string; readonly alias: string }[]
  /** How fast the container may receive on this network, and send. */
  readonly rateIn?: RateRequest
  readonly rateOut?: RateRequest
  readonly settings?: InterfaceSettingsRequest
}

/** One network of a new container. */
export type JoinRequest = Omit<ConnectRequest, "container">

export interface PublishRequest {
  /** "tcp" when absent. */
  readonly protocol?: string
  readonly hostIp?: string
  /** linkspan chooses when absent. */
  readonly hostPort?: number
  /** linkspan chooses the first free one from hostPort to here; with a count, the first run of free ones. */
  readonly hostPortEnd?: number
  readonly containerPort: number
  /** Number of consecutive ports, 1 when absent. */
  readonly count?: number
}

/** Where the namespace of an attached container is. */
export type NetnsRequest =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "pid"; readonly pid: number }
  /** Makes /run/netns/NAME, as `ip netns add` would. */
  | { readonly kind: "new"; readonly name: string }

export interface AttachRequest {
  /** Chosen by linkspan when absent. */
  readonly name?: string
  readonly hostname?: string
  readonly netns: NetnsRequest
  readonly networks: readonly JoinRequest[]
  readonly publish?: readonly PublishRequest[]
  readonly labels?: Readonly<Record<string, string>>
  readonly dns?: ContainerDnsRequest
}

/** The newest output is kept: at least `files` - 1 times `maxBytes`, at most `files` times. */
export interface LogLimitRequest {
  /** Of one file; 8 MiB when absent. */
  readonly maxBytes?: number
  /** 1 to 10; 2 when absent. */
  readonly files?: number
}

export interface RunRequest {
  readonly name?: string
  readonly hostname?: string
  readonly command: readonly string[]
  /** "host", "none" and "container:NAME" stand alone; otherwise network joins. */
  readonly mode?: string
  readonly networks?: readonly JoinRequest[]
  readonly publish?: readonly PublishRequest[]
  readonly labels?: Readonly<Record<string, string>>
  readonly rootfs?: string
  readonly detach?: boolean
  readonly autoRemove?: boolean
  /** How much of a detached container's output is kept. */
  readonly log?: LogLimitRequest
  readonly env?: Readonly<Record<string, string>>
  readonly workdir?: string
  /** Capabilities to keep beyond the default set ("NET_ADMIN", …). */
  readonly capAdd?: readonly string[]
  readonly user?: string
  readonly dns?: ContainerDnsRequest
}

/**
 * A cable to a network for a container whose namespace another program fills: that program plugs the loose end in, names
 * it, and gives it its addresses and routes. Laid once, however often it is asked for.
 */
export interface LayCableRequest extends Omit<JoinRequest, "ifname" | "hostIfname"> {
  /** Twelve hexadecimal digits, which the program derives from its own id and finds the cable by again. */
  readonly id: string
}

/** The container that a cable is for. Cables of one container are its endpoints on several networks. */
export interface AssignCableRequest {
  /** The cable's. */
  readonly id: string
  readonly container: {
    /** Twelve hexadecimal digits. */
    readonly id: string
    /** Another one is chosen when it is taken. */
    readonly name: string
    /** Where its namespace is, or is going to be. */
    readonly path?: string
    readonly labels?: Readonly<Record<string, string>>
  }
}

/** The published ports that lead through a cable from now on, instead of those before. */
export interface PublishCableRequest {
  readonly id: string
  readonly publish: readonly PublishRequest[]
}

/** What somebody else calls a network or a container, and their labels, beside those that it has. */
export interface DescribeRequest {
  readonly kind: "network" | "container"
  /** Twelve hexadecimal digits. */
  readonly id: string
  /** With the id behind it where another has that name. */
  readonly name: string
  readonly labels?: Readonly<Record<string, string>>
}

/** A subnet for somebody who gives out its addresses by asking for each. */
export interface ReservePoolRequest {
  /** Chosen from the pools when absent, of this family. */
  readonly prefix?: string
  readonly family?: 4 | 6
  /** Automatic addresses come from here only. */
  readonly range?: string
}

export interface TakeAddressRequest {
  /** The pool's id. */
  readonly pool: string
  /** The next free one when absent. */
  readonly address?: string
  /** "container" when absent. */
  readonly purpose?: "gateway" | "container"
}

/** A network as another program knows it: made when a first container joins it, removed when the last one leaves. */
export interface NetworkDescription extends CreateNetworkRequest {
  /** Twelve hexadecimal digits, which the program derives from its own id and finds the network by again. */
  readonly id: string
}

/** A container that another program made, as often as it likes: what is there already is left as it is. */
export interface SetUpRequest {
  /** Twelve hexadecimal digits, which the program derives from its own id and finds the container by again. */
  readonly id: string
  /** Another name is chosen when this one is taken. */
  readonly name: string
  readonly hostname?: string
  readonly netns: NetnsRequest
  readonly networks: readonly SetUpJoinRequest[]
  readonly publish?: readonly PublishRequest[]
  /** The program answers for the host ports: it holds them itself, so what listens there is no reason to refuse. */
  readonly portsHeld?: boolean
  /** The program tells the container whom to ask about names: nothing listens for it at 127.0.0.11. */
  readonly asksElsewhere?: boolean
  /** Refuse the container's joining a network that it is on already, instead of leaving that as it is. */
  readonly onlyNew?: boolean
  readonly labels?: Readonly<Record<string, string>>
}

export interface SetUpJoinRequest extends Omit<JoinRequest, "network"> {
  readonly network: NetworkDescription
}

export interface TearDownRequest {
  /** The container's id, as in {@link SetUpRequest}. */
  readonly id: string
  /** Ids of the networks that it leaves; all when absent. */
  readonly networks?: readonly string[]
  /** Of those only the interfaces of these names; all when absent. */
  readonly ifnames?: readonly string[]
}
