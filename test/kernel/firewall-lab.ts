// A host of its own for the firewall's tests, wired by `ip` as the planner would wire it, with linkspan's ruleset loaded
// by `nft`: nothing of linkspan but the ruleset is at work here.
//
//   neighbour (192.0.2.2) ── uplink ── host (192.0.2.1) ─┬─ bridge ─┬─ container
//                                                        │          └─ container
//                                                        └─ bridge ─── container

import { existsSync } from "node:fs"
import { family, type Ip } from "#inet/ip.ts"
import { locallyAdministered, type Mac } from "#inet/mac.ts"
import { ipAt, type Prefix, prefixFamily, prefixLength } from "#inet/prefix.ts"
import { type Ifname, parseIfname } from "#model/name.ts"
import type { BridgeNetwork } from "#model/network.ts"
import type { Endpoint, Publication } from "#model/sandbox.ts"
import { endpointElements, networkElements } from "#plan/firewall/elements.ts"
import { LINK_GROUP } from "#plan/firewall/link-group.ts"
import { elementIdentity, renderTransaction } from "#plan/firewall/render.ts"
import { replaceRuleset } from "#plan/firewall/ruleset.ts"
import type { NftElement } from "#plan/op.ts"
import { PREFIX } from "../sweep.ts"

const PROBE = `${import.meta.dir}/firewall-probe.py`
const PYTHON = "/usr/bin/python3"

/** After so many seconds without an answer there will be none. */
export const SILENCE_S = 0.4

export interface Question {
  readonly to: string
  readonly port: number
  readonly protocol?: "tcp" | "udp" | "sctp"
  /** Source address to bind to. */
  readonly from?: string
  /** Seconds; how long silence is waited for. */
  readonly timeout?: number
}

export interface Answer {
  /** "SERVER:PORT sees ADDRESS". */
  readonly text?: string
  /** An errno's name, or TIMEOUT. */
  readonly error?: string
  readonly ms: number
}

/** A network of the lab: its containers are numbered from 2 in every subnet. */
export interface LabNetwork {
  readonly network: BridgeNetwork
  readonly endpoints: Map<string, Endpoint>
}

export type LabNetworkOptions = Partial<
  Pick<BridgeNetwork, "gatewayMode" | "icc" | "internal" | "isolation" | "outbound" | "masquerade" | "direct">
>

let made = 0

export class FirewallLab {
  /** So that test/sweep.ts finds what a killed test left behind. */
  readonly id = `${PREFIX}-${process.pid}-fw${made++}`
  readonly bridgeNetfilter: 0 | 1
  readonly networks = new Map<string, LabNetwork>()
  /** Seconds that an answer may take which is to come. */
  patience = 5
  readonly #namespaces: string[] = []
  readonly #servers: Bun.Subprocess[] = []
  readonly #elements = new Map<string, NftElement>()

  constructor(bridgeNetfilter: 0 | 1) {
    this.bridgeNetfilter = bridgeNetfilter
    this.addNamespace("host")
    this.addNamespace("neighbour")
    this.ip("host", [
      `link add uplink address 02:00:00:ff:00:01 type veth peer name uplink address 02:00:00:ff:00:02 netns ${this.ns("neighbour")}`,
      ...["192.0.2.1/24", "192.0.2.9/24", "2001:db8::1/64", "2001:db8::9/64"].map(
        (address) => `addr add ${address} dev uplink ${nodad(address)}`,
      ),
      "link set uplink up",
    ])
    this.ip("neighbour", [
      ...["192.0.2.2/24", "2001:db8::2/64"].map((address) => `addr add ${address} dev uplink ${nodad(address)}`),
      "link set uplink up",
      // A neighbour that knows where the containers are and routes straight to them.
      "route add 10.89.0.0/16 via 192.0.2.1",
      "route add fd00:89::/32 via 2001:db8::1",
    ])
    this.sysctl("host", {
      "net.ipv4.ip_forward": "1",
      "net.ipv6.conf.all.forwarding": "1",
    })
    // Where there is no br_netfilter, it is off.
    if (existsSync("/proc/sys/net/bridge")) {
      this.sysctl("host", {
        "net.bridge.bridge-nf-call-iptables": String(bridgeNetfilter),
        "net.bridge.bridge-nf-call-ip6tables": String(bridgeNetfilter),
      })
    }
    this.nft(replaceRuleset([]))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) {
      server.kill("SIGKILL")
      await server.exited
    }
    for (const namespace of this.#namespaces) {
      run(["ip", "netns", "del", namespace])
    }
  }

  ns(name: string): string {
    return `${this.id}-${name}`
  }

  addNamespace(name: string): void {
    run(["ip", "netns", "add", this.ns(name)])
    this.#namespaces.push(this.ns(name))
    this.ip(name, ["link set lo up"])
  }

  /** Runs `ip` commands in a namespace. */
  ip(name: string, commands: readonly string[]): void {
    run(["ip", "-n", this.ns(name), "-batch", "-"], commands.map((command) => command.trim()).join("\n"))
  }

  sysctl(name: string, values: Readonly<Record<string, string>>): void {
    run([
      "ip",
      "netns",
      "exec",
      this.ns(name),
      "sysctl",
      "-qw",
      ...Object.entries(values).map(([key, value]) => `${key}=${value}`),
    ])
  }

  exec(name: string, ...command: string[]): string {
    return run(["ip", "netns", "exec", this.ns(name), ...command])
  }

  succeeds(name: string, ...command: string[]): boolean {
    return (
      Bun.spawnSync(["ip", "netns", "exec", this.ns(name), ...command], { stdout: "ignore", stderr: "ignore" })
        .exitCode === 0
    )
  }

  nft(text: string): void {
    run(["ip", "netns", "exec", this.ns("host"), "nft", "-f", "-"], text)
  }

  /** Adds and removes elements, and remembers them for {@link reload}. */
  change({ add = [], del = [] }: { readonly add?: readonly NftElement[]; readonly del?: readonly NftElement[] }): void {
    this.nft(renderTransaction({ add, del }))
    for (const element of del) {
      this.#elements.delete(elementIdentity(element))
    }
    for (const element of add) {
      this.#elements.set(elementIdentity(element), element)
    }
  }

  /** What the sets hold, as this lab put it there. */
  get elements(): NftElement[] {
    return [...this.#elements.values()]
  }

  /** Loads the ruleset anew with all elements, changed as a test wants it. */
  reload(edit: (ruleset: string) => string = (ruleset) => ruleset): void {
    this.nft(edit(replaceRuleset(this.elements)))
  }

  addNetwork(name: string, prefixes: readonly Prefix[], options: LabNetworkOptions = {}): LabNetwork {
    const bridge = ifname(`br-${name}`)
    const mac = macOf(this.networks.size + 1, 1)
    const network: BridgeNetwork = {
      id: String(this.networks.size + 1).padStart(12, "0"),
      name,
      createdAt: "2026-01-01T00:00:00Z",
      labels: {},
      driver: "bridge",
      bridge,
      adopted: false,
      mac,
      gatewayMode: "nat",
      icc: true,
      internal: false,
      defaultRoute: true,
      containerIfname: "eth",
      subnets: prefixes.map((prefix) => ({ prefix, gateway: ipAt(prefix, 1n), reserved: [] })),
      ...options,
    }
    const attended = network.gatewayMode !== "isolated"
    this.change({ add: networkElements(network) })
    this.ip("host", [`link add ${bridge} address ${mac} type bridge mcast_snooping 0`])
    this.sysctl("host", {
      // While its link-local address is tentative, a bridge asks for nobody's MAC on behalf of forwarded packets.
      [`net.ipv6.conf.${bridge}.accept_dad`]: "0",
      ...(attended
        ? { [`net.ipv4.conf.${bridge}.route_localnet`]: "1" }
        : { [`net.ipv6.conf.${bridge}.disable_ipv6`]: "1" }),
      ...(network.icc
        ? {}
        : {
            [`net.ipv4.conf.${bridge}.proxy_arp_pvlan`]: "1",
            [`net.ipv4.neigh.${bridge}.proxy_delay`]: "0",
            [`net.ipv6.conf.${bridge}.proxy_ndp`]: "1",
            [`net.ipv6.neigh.${bridge}.proxy_delay`]: "0",
          }),
    })
    this.ip("host", [
      ...(attended
        ? prefixes.map(
            (prefix) => `addr add ${ipAt(prefix, 1n)}/${prefixLength(prefix)} dev ${bridge} ${nodad(prefix)}`,
          )
        : []),
      `link set ${bridge} up`,
      // The same metric on several bridges: only `append` (NLM_F_APPEND) adds a further one.
      ...(attended ? [`route append local ::1 dev ${bridge} table local metric 4096`] : []),
    ])
    const lab: LabNetwork = { network, endpoints: new Map() }
    this.networks.set(name, lab)
    return lab
  }

  /** A container with one interface more; the first network of a name makes its namespace. */
  connect(
    name: string,
    to: LabNetwork,
    publications: readonly Publication[] = [],
    elsewhere: readonly Ip[] = [],
  ): Endpoint {
    const { network, endpoints } = to
    if (!this.#namespaces.includes(this.ns(name))) {
      this.addNamespace(name)
    }
    const host = BigInt(endpoints.size + 2)
    const index = [...this.networks.values()].filter((other) => other.endpoints.has(name)).length
    const endpoint: Endpoint = {
      id: "000000000000",
      sandbox: "000000000000",
      network: network.id,
      ifname: ifname(`eth${index}`),
      hostIfname: ifname(`v${network.name}${host}`),
      mac: macOf(Number(network.id), Number(host)),
      addresses: network.subnets.map(({ prefix }) => ({ ip: ipAt(prefix, host), length: prefixLength(prefix) })),
      gateways: network.subnets.flatMap(({ gateway }) => gateway ?? []),
      gatewayPriority: 0,
      aliases: [],
      publications,
    }
    endpoints.set(name, endpoint)
    this.change({ add: endpointElements(network, endpoint, elsewhere) })
    this.ip("host", [
      `link add ${endpoint.hostIfname} group ${LINK_GROUP} type veth peer name ${endpoint.ifname} netns ${this.ns(name)} address ${endpoint.mac}`,
      `link set ${endpoint.hostIfname} addrgenmode none`,
      `link set ${endpoint.hostIfname} master ${network.bridge} up`,
      `link set ${endpoint.hostIfname} type bridge_slave hairpin ${this.bridgeNetfilter === 1 ? "on" : "off"} isolated ${network.icc ? "off" : "on"}`,
      ...(network.icc
        ? []
        : endpoint.addresses
            .filter(({ ip }) => family(ip) === 6)
            .map(({ ip }) => `neigh add proxy ${ip} dev ${network.bridge}`)),
    ])
    this.ip(name, [
      `link set ${endpoint.ifname} up`,
      ...endpoint.addresses.map(({ ip, length }) => `addr add ${ip}/${length} dev ${endpoint.ifname} ${nodad(ip)}`),
      ...(index === 0
        ? endpoint.gateways.map(
            (gateway) =>
              `route add ${family(gateway) === 4 ? "0.0.0.0/0" : "::/0"} via ${gateway} dev ${endpoint.ifname} onlink`,
          )
        : []),
    ])
    return endpoint
  }

  /** Another port of a network's bridge, of which linkspan knows nothing. */
  plugStranger(name: string, bridge: Ifname): void {
    this.addNamespace(name)
    this.ip("host", [
      `link add v${name} type veth peer name eth0 netns ${this.ns(name)}`,
      `link set v${name} master ${bridge} up`,
    ])
    this.ip(name, ["link set eth0 up"])
  }

  /** Starts a server on these ports, tcp, udp and sctp, both families. */
  async serve(name: string, ports: readonly number[]): Promise<void> {
    const server = this.#probe(name, "serve", { name, ports })
    this.#servers.push(server)
    await firstLine(server)
  }

  /** Opens all these connections at the same time. */
  async ask(from: string, questions: readonly Question[]): Promise<Answer[]> {
    const client = this.#probe(
      from,
      "ask",
      questions.map((question) => ({ protocol: "tcp", timeout: SILENCE_S, ...question })),
    )
    return JSON.parse(await client.stdout.text())
  }

  /** Puts frames (hexadecimal) on a container's cable, or another link. */
  async transmit(name: string, frames: readonly string[], ifname = "eth0"): Promise<void> {
    const sender = this.#probe(name, "send", { ifname, frames })
    if ((await sender.exited) !== 0) {
      throw new Error(`cannot send: ${await sender.stderr.text()}`)
    }
  }

  /** What the link (or the host's UDP port) gets, in hexadecimal, while something is sent that ends with `until` (text). */
  async watch(
    name: string,
    at: { readonly ifname: string } | { readonly port: number },
    until: string,
    sending: () => Promise<void>,
  ): Promise<string[]> {
    const order = { ...at, until: Buffer.from(until).toString("hex"), timeout: 2 }
    const watcher = this.#probe(name, "ifname" in at ? "capture" : "receive", order)
    const lines = watcher.stdout.pipeThrough(new TextDecoderStream()).getReader()
    await lines.read()
    await sending()
    let text = ""
    for (let part = await lines.read(); !part.done; part = await lines.read()) {
      text += part.value
    }
    return JSON.parse(text) ?? [Buffer.from("the end never arrived").toString("hex")]
  }

  #probe(name: string, mode: string, order: unknown): Bun.Subprocess<"ignore", "pipe", "pipe"> {
    return Bun.spawn(["ip", "netns", "exec", this.ns(name), PYTHON, PROBE, mode, JSON.stringify(order)], {
      stdout: "pipe",
      stderr: "pipe",
    })
  }
}

async function firstLine(process: Bun.Subprocess<"ignore", "pipe", "pipe">): Promise<void> {
  const reader = process.stdout.getReader()
  const { done } = await reader.read()
  if (done) {
    throw new Error(`no first line: ${await process.stderr.text()}`)
  }
}

function run(command: readonly string[], stdin = ""): string {
  const result = Bun.spawnSync([...command], { stdin: Buffer.from(stdin), stdout: "pipe", stderr: "pipe" })
  if (result.exitCode !== 0) {
    throw new Error(`${command.join(" ")}: ${result.stderr}${stdin === "" ? "" : `\n${stdin.slice(0, 4000)}`}`)
  }
  return result.stdout.toString()
}

function nodad(address: string): string {
  return address.includes(":") ? "nodad" : ""
}

function macOf(network: number, host: number): Mac {
  return locallyAdministered(Uint8Array.of(2, 0, 0, 0, network, host))
}

function ifname(text: string): Ifname {
  const name = parseIfname(text)
  if (name === undefined) {
    throw new Error(`bad interface name ${text}`)
  }
  return name
}

export function prefixesOf(number: number): Prefix[] {
  return [`10.89.${number}.0/24` as Prefix, `fd00:89:${number}::/64` as Prefix].filter(
    (prefix) => prefixFamily(prefix) > 0,
  )
}
