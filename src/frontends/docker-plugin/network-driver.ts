// The methods of Docker's NetworkDriver: networks, endpoints, and who publishes ports. dockerd repeats calls, forgets to
// make some, and makes them for what it has forgotten to make; so everything that takes away takes for granted that it is
// gone already, and everything that makes may be asked for twice.

import type { HeldPorts } from "#engine/held-ports.ts"
import type { LinkspanApi } from "#engine/linkspan.ts"
import { family, type Ip } from "#inet/ip.ts"
import { prefixFamily } from "#inet/prefix.ts"
import { LinkspanError } from "#model/errors.ts"
import { isBridge, isGateway, type Network } from "#model/network.ts"
import type { CreateNetworkRequest } from "#model/request.ts"
import { refuseEndpointOptions } from "./endpoint-options.ts"
import { sandboxId, toId } from "./ids.ts"
import { type Answer, type Message, object, optionalText, text } from "./message.ts"
import { DRIVER_OPTION, gatewaysBeside, networkRequest } from "./network-request.ts"
import { passDocker } from "./own-filter.ts"
import { ofFamilies, publicationsOf } from "./ports.ts"

/** Beside the message. */
export interface Call {
  /** dockerd is older than 24: its Host header is empty (moby's "plugin.moby.localhost" came with 24.0.5). */
  readonly isOld: boolean
  /** Host ports that other programs are to see taken. */
  readonly ports?: HeldPorts | undefined
  /** What Docker has no place for. */
  readonly log: (line: string) => void
}

export type Method = (linkspan: LinkspanApi, message: Message, call: Call) => Promise<Answer>

const NOTHING: Answer = {}

const SWARM_ONLY: Method = () =>
  Promise.reject(
    new LinkspanError("NOT_SUPPORTED", {
      message: "Cannot make a network for a swarm: linkspan's networks are of one host",
      hint: "Make it with: docker network create --driver linkspan NAME, on each host",
    }),
  )

export const NETWORK_DRIVER: Readonly<Record<string, Method>> = {
  // Local: each host has networks of its own.
  GetCapabilities: () => Promise.resolve({ Scope: "local", ConnectivityScope: "local" }),
  CreateNetwork: createNetwork,
  DeleteNetwork: deleteNetwork,
  CreateEndpoint: createEndpoint,
  DeleteEndpoint: async (linkspan, message, { ports }) => {
    const id = toId(text(message, "EndpointID"))
    await linkspan.cables.remove(id)
    ports?.release(id)
    return NOTHING
  },
  EndpointOperInfo: () => Promise.resolve({ Value: {} }),
  Join: join,
  // The end of the endpoint's ports as well: Docker does not always say so beforehand.
  Leave: withdraw,
  ProgramExternalConnectivity: program,
  RevokeExternalConnectivity: withdraw,
  // Of a swarm's nodes; nothing here depends on them.
  DiscoverNew: () => Promise.resolve(NOTHING),
  DiscoverDelete: () => Promise.resolve(NOTHING),
  AllocateNetwork: SWARM_ONLY,
  FreeNetwork: () => Promise.resolve(NOTHING),
}

// ── Networks ────────────────────────────────────────────────────────────────────────────────────────────────────────

async function createNetwork(linkspan: LinkspanApi, message: Message, { log }: Call): Promise<Answer> {
  const { request, bridge } = networkRequest(message)
  if (bridge === undefined) {
    await linkspan.networks.create(request)
  } else {
    await createOnBridge(linkspan, request, bridge)
  }
  try {
    for (const warning of await passDocker(linkspan)) {
      log(warning)
    }
  } catch (error) {
    await linkspan.networks.remove(toId(text(message, "NetworkID")), { force: true })
    throw error
  }
  return NOTHING
}

/** Docker's option means either: a bridge that is there is used, and left behind. */
async function createOnBridge(linkspan: LinkspanApi, request: CreateNetworkRequest, bridge: string): Promise<void> {
  try {
    await linkspan.networks.create({ ...request, bridge })
  } catch (error) {
    if (!(error instanceof LinkspanError && error.code === "LINK_EXISTS")) {
      throw error
    }
    await linkspan.networks.create({ ...request, adopt: bridge })
  }
}

async function deleteNetwork(linkspan: LinkspanApi, message: Message, { ports }: Call): Promise<Answer> {
  try {
    await linkspan.networks.remove(toId(text(message, "NetworkID")), { force: true })
  } catch (error) {
    if (!(error instanceof LinkspanError && error.code === "NETWORK_NOT_FOUND")) {
      throw error
    }
  }
  ports?.follow()
  return NOTHING
}

// ── Endpoints ───────────────────────────────────────────────────────────────────────────────────────────────────────

async function createEndpoint(linkspan: LinkspanApi, message: Message, { isOld }: Call): Promise<Answer> {
  const wanted = object(message, "Interface")
  refuseEndpointOptions(object(message, "Options"), isOld)
  const addresses = ["Address", "AddressIPv6"].flatMap((key) => optionalText(wanted, key)?.split("/")[0] ?? [])
  const mac = optionalText(wanted, "MacAddress")
  const { result } = await linkspan.cables.lay({
    id: toId(text(message, "EndpointID")),
    network: toId(text(message, "NetworkID")),
    addresses,
    ...(mac === undefined ? {} : { mac }),
  })
  // What Docker has said itself it refuses to hear again.
  return mac === undefined ? { Interface: { MacAddress: result.endpoint.mac } } : NOTHING
}

async function join(linkspan: LinkspanApi, message: Message): Promise<Answer> {
  const path = text(message, "SandboxKey")
  const container = sandboxId(path)
  const { result } = await linkspan.cables.assign({
    id: toId(text(message, "EndpointID")),
    container: { id: container, name: `docker-${container}`, path },
  })
  const { network, endpoint, looseEnd } = result
  const gateways = endpoint.gateways.map((ip) => gatewaysBeside(network)[family(ip)] ?? ip)
  const gateway = (version: 4 | 6): Ip | undefined => gateways.find((ip) => family(ip) === version)
  return {
    InterfaceName: { SrcName: looseEnd, DstPrefix: network.containerIfname },
    Gateway: gateway(4) ?? "",
    GatewayIPv6: gateway(6) ?? "",
    // Without a gateway, Docker would give the container another way out, on a bridge of its own.
    DisableGatewayService: gateways.length === 0,
  }
}

// ── Published ports ─────────────────────────────────────────────────────────────────────────────────────────────────

/** All of them, each time: what was published before is replaced. */
async function program(linkspan: LinkspanApi, message: Message, { ports }: Call): Promise<Answer> {
  const id = toId(text(message, "EndpointID"))
  const { network, endpoint } = await linkspan.cables.inspect(id)
  // Docker lists ports on networks that nobody outside may reach, too.
  const publish = canPublish(network) ? portsFor(network, message) : []
  if (publish.length > 0 || endpoint.publications.length > 0) {
    const { result } = await linkspan.cables.publish({ id, publish })
    ports?.hold(result)
  }
  return NOTHING
}

function canPublish(network: Network): boolean {
  return isBridge(network) && !network.internal && isGateway(network)
}

function portsFor(network: Network, message: Message): ReturnType<typeof publicationsOf> {
  const families = new Set(network.subnets.map(({ prefix }) => prefixFamily(prefix)))
  const hostBinding = network.labels[DRIVER_OPTION.hostBinding]
  return ofFamilies(publicationsOf(object(message, "Options"), { hostBinding }), families)
}

async function withdraw(linkspan: LinkspanApi, message: Message, { ports }: Call): Promise<Answer> {
  const id = toId(text(message, "EndpointID"))
  ports?.release(id)
  try {
    const { endpoint } = await linkspan.cables.inspect(id)
    if (endpoint.publications.length > 0) {
      await linkspan.cables.publish({ id, publish: [] })
    }
  } catch (error) {
    if (!(error instanceof LinkspanError && error.code === "ENDPOINT_NOT_FOUND")) {
      throw error
    }
  }
  return NOTHING
}
