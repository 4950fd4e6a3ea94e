// netavark's verbs, each an engine's verb and what Podman keeps beside it.

import { readFileSync } from "node:fs"
import type { Surroundings } from "#engine/front-door.ts"
import type { LinkspanApi } from "#engine/linkspan.ts"
import { parseIp } from "#inet/ip.ts"
import type { Aardvark } from "./aardvark.ts"
import type { CommandLine } from "./command-line.ts"
import { dnsPort } from "./dns-port.ts"
import { combined, NetavarkError, OS_ERROR } from "./error.ts"
import { type Attachment, type NetworkOptions, readNetworkOptions } from "./options.ts"
import { divide, findPlugin, plug, unplug } from "./plugin.ts"
import { engineId, setUpRequest } from "./request.ts"
import { hasNames, listenAddresses, type StatusBlock, statusOf } from "./status.ts"

/** @returns what goes to standard output */
export async function runVerb(line: CommandLine, world: Surroundings): Promise<unknown> {
  switch (line.verb) {
    case "setup":
      return setUp(line, world)
    case "teardown":
      await tearDown(line, world)
      return undefined
    case "update": {
      const { changeServers } = await import("./aardvark.ts")
      changeServers(aardvarkOf(line, world), line.argument ?? "", checkServers(line.dnsServers ?? []))
      return undefined
    }
    case "create": {
      const { completeNetwork } = await import("./create.ts")
      const { createPlugged, pluginOf } = await import("./plugin.ts")
      return completeNetwork(await readInput(line, world), {
        now: new Date(),
        random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
        byPlugin: (network) => {
          const plugin = pluginOf(network, line, world)
          return plugin === undefined ? undefined : createPlugged(plugin, network, world)
        },
      })
    }
    case "firewall-reload":
    case "nftables-reload":
    case "firewalld-reload": {
      await using linkspan = await openEngine(line, world)
      await linkspan.reconcile()
      if (line.verb === "firewalld-reload") {
        // A unit that is to stay. firewalld leaves other programs' tables alone, so there is nothing to wait for.
        await new Promise<void>((resolve) => process.once("SIGTERM", resolve).once("SIGINT", resolve))
      }
      return undefined
    }
    case "dhcp-proxy":
      await keepLeases(line, world)
      return undefined
    case "version":
      return undefined
  }
}

/** Setup asks the servers itself; what is left for this process is what comes after. */
async function keepLeases(line: CommandLine, world: Surroundings): Promise<void> {
  const end = new AbortController()
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => end.abort())
  }
  await using linkspan = await openEngine(line, world)
  await linkspan.leases.keep({
    signal: end.signal,
    log: (text) => world.err(`[INFO  netavark::dhcp_proxy] ${text}\n`),
    ...(line.idleSeconds === undefined ? {} : { idleMs: line.idleSeconds * 1000 }),
  })
}

async function setUp(line: CommandLine, world: Surroundings): Promise<unknown> {
  checkFirewall(line, world)
  const options = readNetworkOptions(await readInput(line, world))
  if (line.config === undefined) {
    throw new NetavarkError("--config not specified but required for netavark setup")
  }
  const { own, theirs } = divide(options)
  for (const { network } of theirs) {
    findPlugin(network, line, world)
  }
  const blocks = own.networks.length === 0 ? {} : await setUpOwn(line, world, own)
  return theirs.length === 0 ? blocks : plugAll({ line, world, options, own, theirs }, blocks)
}

interface Plugs {
  readonly line: CommandLine
  readonly world: Surroundings
  readonly options: NetworkOptions
  readonly own: NetworkOptions
  readonly theirs: readonly Attachment[]
}

/** One after the other, since each may count on the interfaces before it. */
async function plugAll(plugs: Plugs, blocks: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
  const { line, world, options, own, theirs } = plugs
  const all: Record<string, unknown> = { ...blocks }
  for (const [index, attachment] of theirs.entries()) {
    try {
      all[attachment.network.name] = await plug({ options, attachment, line, world })
    } catch (error) {
      // Also of the one that has failed: nothing shall be left half made. What comes of that is not what went wrong.
      const begun = theirs.slice(0, index + 1)
      await Promise.allSettled(begun.map((each) => unplug({ options, attachment: each, line, world })))
      if (own.networks.length > 0) {
        await using linkspan = await openEngine(line, world)
        await undo(line, world, linkspan, own)
      }
      throw error
    }
  }
  return Object.fromEntries(options.networks.map(({ network: { name } }) => [name, all[name]]))
}

async function setUpOwn(
  line: CommandLine,
  world: Surroundings,
  options: NetworkOptions,
): Promise<Record<string, StatusBlock>> {
  const attachments = await namesOf(line, options)
  const request = setUpRequest(options, inDirectory(line.argument ?? "", world), dnsPort(world.env))
  await using linkspan = await openEngine(line, world)
  const { result, warnings } = await linkspan.setUp(request)
  for (const warning of warnings) {
    world.err(`[WARN  netavark::firewall] ${warning}\n`)
  }
  const addresses = await bridgeAddresses(options)
  if (attachments.length > 0) {
    const { commitEntries } = await import("./aardvark.ts")
    try {
      commitEntries(
        aardvarkOf(line, world),
        attachments.map(({ attachment, names }) => ({
          network: attachment.network.name,
          internal: attachment.network.internal,
          listen: listenAddresses(attachment, addresses),
          servers: attachment.network.dnsServers,
          entry: {
            containerId: options.containerId,
            addresses: attachment.staticIps,
            names,
            servers: options.dnsServers,
          },
        })),
      )
    } catch (error) {
      await undo(line, world, linkspan, options)
      throw error
    }
  }
  return statusOf(options, result.endpoints, addresses)
}

/** Whoever could be set up but not named is not there at all. */
async function undo(
  line: CommandLine,
  world: Surroundings,
  linkspan: LinkspanApi,
  options: NetworkOptions,
): Promise<void> {
  const { deleteEntries } = await import("./aardvark.ts")
  const networks = options.networks.map(({ network }) => network)
  deleteEntries(
    aardvarkOf(line, world),
    options.containerId,
    networks.map(({ name }) => name),
  )
  await linkspan.tearDown({ id: engineId(options.containerId), networks: networks.map(({ id }) => engineId(id)) })
}

interface Named {
  readonly attachment: NetworkOptions["networks"][number]
  readonly names: readonly string[]
}

async function namesOf(line: CommandLine, { networks, containerName }: NetworkOptions): Promise<Named[]> {
  const named = networks.filter(hasNames)
  if (named.length === 0 || line.aardvark === undefined) {
    return []
  }
  const { isEntryName } = await import("./aardvark-file.ts")
  for (const { network } of named) {
    const loop = network.dnsServers.find((server) => network.subnets.some(({ gateway }) => gateway === server))
    if (loop !== undefined) {
      throw new NetavarkError(
        `DNS server ${loop} is the gateway of network "${network.name}"; using it would cause aardvark-dns to forward queries to itself.`,
      )
    }
  }
  return named.map((attachment) => ({
    attachment,
    names: [containerName, ...attachment.aliases].filter(isEntryName),
  }))
}

/** Podman wants all of it gone, so every part is tried. */
async function tearDown(line: CommandLine, world: Surroundings): Promise<void> {
  const options = readNetworkOptions(await readInput(line, world))
  if (line.config === undefined) {
    throw new NetavarkError("--config not specified but required for netavark teardown")
  }
  // Podman's clean-up may be told to end together with the container.
  world.holdSignals()
  const errors: unknown[] = []
  const { own, theirs } = divide(options)
  for (const attachment of theirs) {
    await unplug({ options, attachment, line, world }).catch((error: unknown) => errors.push(error))
  }
  const networks = own.networks.map(({ network }) => network)
  if (own.networks.some(hasNames)) {
    const { deleteEntries } = await import("./aardvark.ts")
    try {
      deleteEntries(
        aardvarkOf(line, world),
        options.containerId,
        networks.map(({ name }) => name),
      )
    } catch (error) {
      errors.push(error)
    }
  }
  if (own.networks.length > 0) {
    try {
      await using linkspan = await openEngine(line, world)
      await linkspan.tearDown({ id: engineId(options.containerId), networks: networks.map(({ id }) => engineId(id)) })
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) {
    throw combined(errors)
  }
}

// ── The process ─────────────────────────────────────────────────────────────────────────────────────────────────────

async function readInput({ file }: CommandLine, world: Surroundings): Promise<string> {
  try {
    return file === undefined ? await world.readInput() : readFileSync(inDirectory(file, world), "utf8")
  } catch (error) {
    const { code } = error as { code?: string }
    throw new NetavarkError(
      `failed to load network options: IO error: ${code === "ENOENT" ? OS_ERROR[2] : (error as Error).message}`,
      { cause: error },
    )
  }
}

function inDirectory(path: string, { directory }: Surroundings): string {
  return path.startsWith("/") ? path : `${directory}/${path}`
}

/** Without root there is no /var/lib to write to; Podman's run directory is the user's own. */
async function openEngine({ rootless, config }: CommandLine, { env, open }: Surroundings): Promise<LinkspanApi> {
  const stateDir = env["LINKSPAN_STATE_DIR"] ?? (rootless && config !== undefined ? `${config}/linkspan` : undefined)
  const runDir = env["LINKSPAN_RUN_DIR"]
  return open({
    ...(stateDir === undefined ? {} : { stateDir }),
    ...(runDir === undefined ? {} : { runDir }),
  })
}

function aardvarkOf({ config, aardvark, rootless }: CommandLine, { env }: Surroundings): Aardvark {
  if (config === undefined) {
    throw new NetavarkError("--config not specified but required for netavark update")
  }
  return { config, rootless, env, ...(aardvark === undefined ? {} : { binary: aardvark }) }
}

/** One ruleset serves all of them: it is beside firewalld's, and iptables' since netavark 2 is nftables' as well. */
const FIREWALLS = ["nftables", "iptables", "firewalld", "none", ""]

function checkFirewall({ firewall }: CommandLine, { env }: Surroundings): void {
  const wanted = firewall ?? env["NETAVARK_FW"] ?? ""
  if (!FIREWALLS.includes(wanted.toLowerCase())) {
    throw new NetavarkError(`Must provide a valid firewall backend, got ${wanted}`)
  }
}

function checkServers(servers: readonly string[]): readonly string[] {
  const wrong = servers.find((server) => parseIp(server) === undefined)
  if (wrong !== undefined) {
    throw new NetavarkError(`unable to parse ip address: ${wrong}`)
  }
  return servers
}

/** The host's addresses on a bridge of somebody else's, which names are answered at. */
async function bridgeAddresses({ networks }: NetworkOptions): Promise<(bridge: string) => readonly string[]> {
  if (!networks.some(({ network }) => network.options["mode"] === "unmanaged")) {
    return () => []
  }
  const { networkInterfaces } = await import("node:os")
  const links = networkInterfaces()
  return (bridge) =>
    (links[bridge] ?? []).filter(({ scopeid }) => scopeid === undefined || scopeid === 0).map(({ address }) => address)
}
