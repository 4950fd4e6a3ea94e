// The network options that Podman sends with setup and teardown. Podman 4 and 5 send the networks as a map, Podman 6 as
// a list in order; later ones have more fields. All become one value.

import { NetavarkError } from "./error.ts"
import { type Json, parseJson, Reader } from "./json.ts"

export interface NetworkOptions {
  readonly containerId: string
  readonly containerName: string
  readonly hostname?: string
  readonly networks: readonly Attachment[]
  readonly ports: readonly PortMapping[]
  /** The container's own DNS servers. */
  readonly dnsServers: readonly string[]
}

/** A container on a network. */
export interface Attachment {
  readonly network: Network
  readonly ifname: string
  readonly staticIps: readonly string[]
  readonly staticMac?: string
  readonly aliases: readonly string[]
  readonly hostIfname?: string
  /** As it came, for plugins. */
  readonly raw: Json
}

export interface PortMapping {
  readonly hostIp: string
  readonly containerPort: number
  readonly hostPort: number
  readonly protocol: string
  readonly range: number
}

export interface Network {
  readonly name: string
  readonly id: string
  readonly driver: string
  readonly internal: boolean
  readonly ipv6: boolean
  readonly dns: boolean
  readonly link?: string
  readonly subnets: readonly Subnet[]
  readonly routes: readonly Route[]
  readonly ipam?: string
  readonly dnsServers: readonly string[]
  readonly options: Readonly<Record<string, string>>
  /** As it came, for plugins. */
  readonly raw: Json
}

export interface Subnet {
  readonly prefix: string
  readonly gateway?: string
}

export interface Route {
  readonly destination: string
  readonly gateway?: string
  readonly metric?: number
  readonly type?: string
}

/** @throws NetavarkError that says what could not be loaded */
export function readNetworkOptions(text: string): NetworkOptions {
  try {
    return parseOptions(new Reader(text), parseJson(text))
  } catch (error) {
    throw new NetavarkError(`failed to load network options: IO error: ${(error as Error).message}`, { cause: error })
  }
}

function parseOptions(reader: Reader, json: unknown): NetworkOptions {
  const root = reader.object(json, "network options")
  const containerId = reader.required(root, "container_id", reader.text)
  const containerName = reader.required(root, "container_name", reader.text)
  const hostname = reader.optional(root, "container_hostname", reader.text)
  const asked = reader.required(root, "networks", (value, key) =>
    Array.isArray(value)
      ? reader.list((each, name) => {
          const object = reader.object(each, name)
          return [reader.required(object, "name", reader.text), object] as const
        })(value, key)
      : // A map has no order; Podman numbers the interfaces in the order of the command line.
        reader.map(reader.object)(value, key).toSorted(byIfname),
  )
  const infos = new Map(
    reader.required(
      root,
      "network_info",
      reader.map((value, key) => readNetwork(reader, value, key)),
    ),
  )
  return {
    containerId,
    containerName,
    ...(hostname === undefined ? {} : { hostname }),
    networks: asked.map(([name, object]) => readAttachment(reader, object, name, infos.get(name))),
    ports:
      reader.optional(
        root,
        "port_mappings",
        reader.list((value, key) => readPort(reader, value, key)),
      ) ?? [],
    dnsServers: reader.optional(root, "dns_servers", reader.list(reader.address)) ?? [],
  }
}

function byIfname([, a]: readonly [string, Json], [, b]: readonly [string, Json]): number {
  return String(a["interface_name"]).localeCompare(String(b["interface_name"]), "en", { numeric: true })
}

function readAttachment(reader: Reader, object: Json, name: string, network: Network | undefined): Attachment {
  if (network === undefined) {
    throw new NetavarkError(`no network information for network "${name}"`)
  }
  const staticMac = reader.optional(object, "static_mac", reader.text)
  const hostIfname = reader
    .optional(object, "options", reader.map(reader.text))
    ?.find(([key]) => key === "host_interface_name")?.[1]
  return {
    network,
    ifname: reader.required(object, "interface_name", reader.text),
    staticIps: reader.optional(object, "static_ips", reader.list(reader.address)) ?? [],
    ...(staticMac === undefined || staticMac === "" ? {} : { staticMac }),
    aliases: reader.optional(object, "aliases", reader.list(reader.text)) ?? [],
    ...(hostIfname === undefined ? {} : { hostIfname }),
    raw: object,
  }
}

function readPort(reader: Reader, value: unknown, key: string): PortMapping {
  const object = reader.object(value, key)
  return {
    hostIp: reader.required(object, "host_ip", reader.text),
    containerPort: reader.required(object, "container_port", reader.number(0xffff)),
    hostPort: reader.required(object, "host_port", reader.number(0xffff)),
    protocol: reader.required(object, "protocol", reader.text),
    // One port may be written as a range of none.
    range: Math.max(1, reader.required(object, "range", reader.number(0xffff))),
  }
}

export function readNetwork(reader: Reader, value: unknown, key: string): Network {
  const object = reader.object(value, key)
  const link = reader.optional(object, "network_interface", reader.text)
  const ipam = reader
    .optional(object, "ipam_options", reader.map(reader.text))
    ?.find(([name]) => name === "driver")?.[1]
  return {
    name: reader.required(object, "name", reader.text),
    id: reader.required(object, "id", reader.text),
    driver: reader.required(object, "driver", reader.text),
    internal: reader.required(object, "internal", reader.boolean),
    ipv6: reader.required(object, "ipv6_enabled", reader.boolean),
    dns: reader.required(object, "dns_enabled", reader.boolean),
    ...(link === undefined || link === "" ? {} : { link }),
    subnets:
      reader.optional(
        object,
        "subnets",
        reader.list((each, name) => readSubnet(reader, each, name)),
      ) ?? [],
    routes:
      reader.optional(
        object,
        "routes",
        reader.list((each, name) => readRoute(reader, each, name)),
      ) ?? [],
    ...(ipam === undefined || ipam === "" ? {} : { ipam }),
    dnsServers: reader.optional(object, "network_dns_servers", reader.list(reader.address)) ?? [],
    options: Object.fromEntries(reader.optional(object, "options", reader.map(reader.text)) ?? []),
    raw: object,
  }
}

function readSubnet(reader: Reader, value: unknown, key: string): Subnet {
  const object = reader.object(value, key)
  const gateway = reader.optional(object, "gateway", reader.address)
  return { prefix: reader.required(object, "subnet", reader.text), ...(gateway === undefined ? {} : { gateway }) }
}

function readRoute(reader: Reader, value: unknown, key: string): Route {
  const object = reader.object(value, key)
  // Go writes an address that is none as "".
  const gateway = object["gateway"] === "" ? undefined : reader.optional(object, "gateway", reader.address)
  const metric = reader.optional(object, "metric", reader.number(0xffff_ffff))
  const type = reader.optional(object, "route_type", reader.text)
  return {
    destination: reader.required(object, "destination", reader.text),
    ...(gateway === undefined ? {} : { gateway }),
    ...(metric === undefined ? {} : { metric }),
    ...(type === undefined ? {} : { type }),
  }
}
