// linkspan-ipam: addresses for the interfaces that somebody else's bridge, macvlan or ptp makes. To the engine it is a
// network of addresses alone, so a lease ends with its container as any other: by DEL, by GC, or when it is found dead.

import { parseInterface, parsePrefix, prefixContains } from "#inet/prefix.ts"
import { LinkspanError } from "#model/errors.ts"
import type { NetworkDescription, SubnetRequest } from "#model/request.ts"
import { defaultGateway } from "#model/subnet-bounds.ts"
import { CniError, CODES } from "./cni-error.ts"
import { collect, refuseExhausted } from "./collect.ts"
import { fold, get, isObject } from "./fold.ts"
import { containerLabels, containerName, networkName, poolId, sandboxId } from "./identity.ts"
import { outdated, readRanges, wantedAddresses } from "./network-config.ts"
import type { Attachment, Config } from "./request.ts"
import { resolvConf } from "./resolv-conf.ts"
import { resultAnswer } from "./result.ts"
import type { Call } from "./verbs.ts"
import { promised } from "./verbs.ts"

function describePool(config: Config): NetworkDescription {
  const ipam = fold(get(config.keys, "ipam"))
  const subnets = readRanges(config, ipam)
  if (subnets.length === 0) {
    throw new CniError(CODES.invalidConfig, 'Cannot give addresses: "ipam" has no "ranges"', {
      details: 'As in host-local: "ranges": [[{ "subnet": "10.77.0.0/16" }]]',
    })
  }
  return {
    id: poolId(config.name),
    name: networkName(`${config.name}-ipam`),
    driver: "foreign",
    subnets: subnets.map(withGateway),
    dns: false,
    labels: { "cni.network": config.name },
  }
}

/** The first address where none is said, as host-local has it: no container gets it. */
function withGateway(subnet: SubnetRequest): SubnetRequest {
  const parsed = parsePrefix(subnet.prefix)
  const gateway = parsed === undefined || subnet.gateway !== undefined ? undefined : defaultGateway(parsed, [])
  return gateway === undefined ? subnet : { ...subnet, gateway }
}

/** The same lease again for the same interface: a runtime that lost an answer asks a second time. */
export async function add(
  { linkspan, config }: Call,
  { containerId, ifname, netns = "" }: Attachment,
): Promise<string> {
  const network = describePool(config)
  const { result } = await linkspan.setUp({
    id: sandboxId(containerId),
    name: containerName(config, containerId),
    netns: { kind: "path", path: netns },
    networks: [{ network, ifname, addresses: wantedAddresses(config) }],
    labels: containerLabels(config, containerId),
  })
  const index = result.endpoints.findIndex((one) => one.networkId === network.id && one.ifname === ifname)
  const [endpoint, joined] = [result.endpoints[index], result.networks[index]]
  if (endpoint === undefined || joined === undefined) {
    throw new LinkspanError("INTERNAL", { message: `Internal error: no addresses on network ${network.id}` })
  }
  const changed = (network.subnets ?? []).find(({ prefix }) => !joined.subnets.some((own) => own.prefix === prefix))
  if (changed !== undefined) {
    throw outdated(joined, changed.prefix)
  }
  const ips = endpoint.addresses.map((address) => {
    const ip = parseInterface(address)?.ip
    const gateway = joined.subnets.find(({ prefix }) => ip !== undefined && prefixContains(prefix, ip))?.gateway
    return { address, ...(gateway === undefined ? {} : { gateway }) }
  })
  const ipam = fold(get(config.keys, "ipam"))
  const routes = ipam.get("routes")
  const answer = JSON.parse(resultAnswer({ ips, dns: resolvConf(ipam) }, config.version)) as object
  // Whoever asked knows the fields of its version, and gets those that its own configuration has.
  return `${JSON.stringify({ ...answer, ...(Array.isArray(routes) ? { routes } : {}) })}\n`
}

export async function del({ linkspan, config }: Call, { containerId, ifname }: Attachment): Promise<void> {
  await linkspan.tearDown({ id: sandboxId(containerId), networks: [poolId(config.name)], ifnames: [ifname] })
}

export async function check({ linkspan, config }: Call, { containerId, ifname }: Attachment): Promise<void> {
  if (!isObject(config.previous)) {
    throw new CniError(CODES.invalidConfig, "Cannot CHECK without prevResult")
  }
  const { endpoints, name } = await linkspan.inspect(sandboxId(containerId))
  const own = endpoints.find((one) => one.networkId === poolId(config.name) && one.ifname === ifname)
  const given = promised(config.previous, ifname)
  const lost = own?.addresses.filter((address) => !given.includes(address)) ?? []
  if (own === undefined || lost.length > 0) {
    throw new CniError(
      CODES.differs,
      own === undefined
        ? `Container "${name}" has no addresses for "${ifname}"`
        : `${lost.join(", ")} of container "${name}" is not among the addresses of prevResult`,
    )
  }
}

export async function gc(call: Call): Promise<void> {
  await collect(call, [poolId(call.config.name)])
}

export async function status({ linkspan, config }: Call): Promise<void> {
  describePool(config)
  await refuseExhausted(linkspan, poolId(config.name))
}
