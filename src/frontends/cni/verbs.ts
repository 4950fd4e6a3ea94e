// The verbs of the specification, each as calls of the engine. What DEL and GC remove is known from linkspan's own
// state: neither the namespace, nor prevResult, nor runtimeConfig need be there any more.

import type { LinkspanApi } from "#engine/linkspan.ts"
import { LinkspanError } from "#model/errors.ts"
import type { FirewallStatus } from "#model/view.ts"
import { chainedAnswer, describeChained } from "./chained.ts"
import { CniError, CODES, toCniError } from "./cni-error.ts"
import { collect, refuseExhausted } from "./collect.ts"
import { Delegate } from "./delegate.ts"
import { fold, get, list, text } from "./fold.ts"
import { chainedNetworkId, containerLabels, containerName, networkId, sandboxId } from "./identity.ts"
import {
  delegateOf,
  describeNetwork,
  namedNetwork,
  outdated,
  wantedAddresses,
  wantedAliases,
  wantedDns,
  wantedMac,
  wantedPorts,
  wantedRates,
} from "./network-config.ts"
import type { Attachment, Config, Environment } from "./request.ts"
import { resolvConf } from "./resolv-conf.ts"
import { type Result, resultAnswer, resultOf } from "./result.ts"
import { wantedSettings } from "./tuning.ts"

export interface Call {
  readonly linkspan: LinkspanApi
  readonly env: Environment
  readonly config: Config
}

async function delegate({ config, env }: Call): Promise<Delegate | undefined> {
  const type = delegateOf(config)
  return type === undefined ? undefined : await Delegate.find(type, env)
}

// ── ADD and DEL ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** @returns the document that is answered. */
export async function add(call: Call, attachment: Attachment): Promise<string> {
  const { config } = call
  if (config.previous !== undefined) {
    await joinChained(call, attachment)
    return chainedAnswer(config, attachment)
  }
  const ipam = await delegate(call)
  try {
    const given = ipam?.ask("ADD", config)
    return resultAnswer(await join(call, attachment, given), config.version)
  } catch (error) {
    if (ipam !== undefined) {
      try {
        ipam.ask("DEL", config)
      } catch (further) {
        throw bothOf(error, further)
      }
    }
    throw error
  }
}

function bothOf(error: unknown, further: unknown): CniError {
  const { code, message, details } = toCniError(error)
  const both = `${message}; and ${toCniError(further).message}`
  return new CniError(code, both, { ...(details === undefined ? {} : { details }), cause: error })
}

async function joinChained({ linkspan, config }: Call, { containerId, ifname, netns = "" }: Attachment): Promise<void> {
  const mac = wantedMac(config)
  await linkspan.setUp({
    id: sandboxId(containerId),
    name: containerName(config, containerId),
    netns: { kind: "path", path: netns },
    networks: [
      {
        network: describeChained(config),
        ifname,
        aliases: wantedAliases(config),
        ...wantedRates(config),
        ...wantedSettings(config, { isChained: true }),
        ...(mac === undefined ? {} : { mac }),
      },
    ],
    publish: wantedPorts(config),
    labels: containerLabels(config, containerId),
    onlyNew: true,
  })
}

async function join(call: Call, attachment: Attachment, given: Result | undefined): Promise<Result> {
  const { linkspan, config } = call
  const { containerId, ifname, netns = "" } = attachment
  const network = await networkOf(call, given)
  const addresses = given?.ips?.map(({ address }) => address.replace(/\/.*/, "")) ?? wantedAddresses(config)
  const mac = wantedMac(config)
  // As with the reference's bridge: what gives the addresses names servers where nobody else does.
  const fromIpam = given === undefined ? resolvConf(fold(get(config.keys, "ipam"))) : (given.dns ?? {})
  const id = sandboxId(containerId)
  const { result } = await linkspan.setUp({
    id,
    name: containerName(config, containerId),
    netns: { kind: "path", path: netns },
    networks: [
      {
        network,
        ifname,
        addresses,
        aliases: wantedAliases(config),
        ...wantedRates(config),
        ...wantedSettings(config, { isChained: false }),
        ...(mac === undefined ? {} : { mac }),
      },
    ],
    publish: wantedPorts(config),
    labels: containerLabels(config, containerId),
    onlyNew: true,
  })
  const index = result.endpoints.findIndex((one) => one.networkId === network.id && one.ifname === ifname)
  const [endpoint, joined] = [result.endpoints[index], result.networks[index]]
  if (endpoint === undefined || joined === undefined) {
    throw new LinkspanError("INTERNAL", { message: `Internal error: no endpoint on network ${network.id}` })
  }
  const missing = (network.subnets ?? []).find(({ prefix }) => !joined.subnets.some((own) => own.prefix === prefix))
  if (namedNetwork(config) === undefined && missing !== undefined) {
    await linkspan.tearDown({ id, networks: [network.id] })
    throw outdated(joined, missing.prefix)
  }
  const dns = wantedDns(
    config,
    joined.subnets.flatMap(({ gateway }) => gateway ?? []),
  )
  return resultOf(endpoint, joined, { netns, dns: Object.keys(dns).length === 0 ? fromIpam : dns })
}

async function networkOf(call: Call, given: Result | undefined) {
  const { config } = call
  const named = namedNetwork(config)
  return named === undefined ? describeNetwork(config, given) : { id: await idOfNamed(call, named), name: named }
}

async function idOfNamed({ linkspan }: Call, named: string): Promise<string> {
  const known = (await linkspan.networks.list()).find(({ id, name }) => name === named || id === named)
  if (known === undefined) {
    throw new LinkspanError("NETWORK_NOT_FOUND", {
      message: `Cannot use network "${named}": there is none of that name`,
      hint: `Make it with: linkspan network create ${named}`,
    })
  }
  return known.id
}

/** Whether linkspan was first in the list or not: DEL and GC do not depend on what the configuration is now. */
function ownNetworks({ name }: Config): string[] {
  return [networkId(name), chainedNetworkId(name)]
}

/** Success where there is nothing: runtimes ask two and three times. */
export async function del(call: Call, { containerId, ifname }: Attachment): Promise<void> {
  const { linkspan, config } = call
  const named = namedNetwork(config)
  await linkspan.tearDown({
    id: sandboxId(containerId),
    ifnames: [ifname],
    ...(named === undefined ? { networks: ownNetworks(config) } : {}),
  })
  const ipam = await delegate(call)
  ipam?.ask("DEL", config)
}

// ── CHECK ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export async function check(call: Call, { containerId, ifname }: Attachment): Promise<void> {
  const { linkspan, config } = call
  if (config.previous === undefined) {
    throw new CniError(CODES.invalidConfig, "Cannot CHECK without prevResult")
  }
  const view = await linkspan.inspect(sandboxId(containerId))
  const named = namedNetwork(config)
  const networks = named === undefined ? ownNetworks(config) : [await idOfNamed(call, named)]
  const endpoint = view.endpoints.find((one) => one.ifname === ifname && networks.includes(one.networkId))
  if (endpoint === undefined) {
    throw new CniError(CODES.unknownContainer, `Container "${view.name}" has no interface "${ifname}" by linkspan`)
  }
  const network = await linkspan.networks.inspect(endpoint.networkId)
  const isGone = view.status === "gone" ? [`the network namespace of container "${view.name}" is gone`] : []
  const unlike = promised(config.previous, ifname)
    .filter((address) => !endpoint.addresses.includes(address))
    .map((address) => `${address} of prevResult is not an address of "${ifname}"`)
  const unpublished = wantedPorts(config)
    .filter(
      ({ hostPort, containerPort, protocol = "tcp" }) =>
        !endpoint.publications.some(
          (one) => one.hostPort === hostPort && one.containerPort === containerPort && one.protocol === protocol,
        ),
    )
    .map(({ hostPort, protocol = "tcp" }) => `host port ${hostPort}/${protocol} is not published`)
  const problems = [...isGone, ...view.problems, ...network.problems, ...unlike, ...unpublished]
  if (problems.length > 0) {
    throw new CniError(CODES.differs, `Container "${view.name}" is not as it was made: ${problems.join("; ")}`, {
      details: "Repair it with: linkspan reconcile",
    })
  }
  const ipam = await delegate(call)
  ipam?.ask("CHECK", config)
}

/** The addresses that prevResult gives the container's interface. */
export function promised(previous: unknown, ifname: string): string[] {
  const result = fold({ value: previous, path: "prevResult" })
  const interfaces = list(get(result, "interfaces", "prevResult")).map((found) => {
    const keys = fold(found)
    return { name: text(get(keys, "name", found.path)), isInside: text(get(keys, "sandbox", found.path)) !== undefined }
  })
  const index = interfaces.findIndex(({ name, isInside }) => isInside && name === ifname)
  return list(get(result, "ips", "prevResult")).flatMap((found) => {
    const keys = fold(found)
    const address = text(get(keys, "address", found.path))
    return keys.get("interface") === index && address !== undefined ? [address] : []
  })
}

// ── GC and STATUS ───────────────────────────────────────────────────────────────────────────────────────────────────

export async function gc(call: Call): Promise<void> {
  const named = namedNetwork(call.config)
  const networks = named === undefined ? ownNetworks(call.config) : [await idOfNamed(call, named)]
  await collect(call, networks, async () => (await delegate(call))?.ask("GC", call.config))
}

function unavailable(error: LinkspanError): CniError {
  const details = error.hint === undefined ? {} : { details: error.hint }
  return new CniError(CODES.unavailable, error.message, { ...details, cause: error })
}

/** Containers that are there suffer from it as well as those that come. */
function refuseObstacle({ obstacles }: FirewallStatus): void {
  const [obstacle] = obstacles
  if (obstacle !== undefined) {
    throw new CniError(CODES.limited, `Containers' packets are refused by ${obstacle.owner}: ${obstacle.where}`, {
      details: obstacle.integrable ? "Run: linkspan firewall integrate" : obstacle.remedy,
    })
  }
}

/** Whether an ADD could be served now. */
export async function status(call: Call): Promise<void> {
  const { linkspan, config } = call
  const named = namedNetwork(config)
  if (named === undefined) {
    describeNetwork(config)
  }
  try {
    refuseObstacle(await linkspan.firewall.status())
    if (delegateOf(config) === undefined) {
      await refuseExhausted(linkspan, named === undefined ? networkId(config.name) : await idOfNamed(call, named))
    }
  } catch (error) {
    throw error instanceof LinkspanError ? unavailable(error) : error
  }
  const ipam = await delegate(call)
  ipam?.ask("STATUS", config)
}
