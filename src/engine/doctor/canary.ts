// Whether a network does what it promises, by trying: two containers of our own join it for a moment, one sends another
// a datagram that must arrive, and one under a false address that must not. Nothing is said to be refused that was not
// watched being refused: it did not come, what was sent after it did, and the rule counted it.

import { randomBytes } from "node:crypto"
import { family, type Ip } from "#inet/ip.ts"
import { DatagramSocket } from "#kernel/datagram-socket.ts"
import { closeFile } from "#kernel/file.ts"
import { Netns } from "#kernel/netns.ts"
import { refusalCounters } from "#kernel/refusal-counters.ts"
import { openStreamServer } from "#kernel/server-socket.ts"
import { NO_NEWS, ProbePacket } from "#kernel/trace/probe-packet.ts"
import type { Finding } from "#model/doctor.ts"
import { LinkspanError } from "#model/errors.ts"
import { type BridgeNetwork, isGateway } from "#model/network.ts"
import { attach } from "../attach.ts"
import { detach } from "../detach.ts"
import type { Host } from "../host.ts"

const WITHIN_MS = 1500
/** Any port that is listened on there and nowhere else. */
const PORT = 4711
const TRUE = "true"
const FALSE = "false"

interface Canary {
  readonly name: string
  readonly netns: Netns
  readonly addresses: readonly Ip[]
}

export async function tryNetwork(host: Host, network: BridgeNetwork): Promise<Finding[]> {
  await using stack = new AsyncDisposableStack()
  try {
    const a = await join(host, network, stack)
    const b = await join(host, network, stack)
    return ([4, 6] as const).flatMap((of) => {
      const [from, to] = [a, b].map(({ addresses }) => addresses.find((ip) => family(ip) === of))
      const gateway = isGateway(network)
        ? network.subnets.map((subnet) => subnet.gateway).find((ip) => ip !== undefined && family(ip) === of)
        : undefined
      return from === undefined || to === undefined ? [] : tryFamily({ host, network, a, b, from, to, gateway })
    })
  } catch (error) {
    if (error instanceof LinkspanError) {
      const what = `network "${network.name}" could not be tried: ${error.message}`
      return [finding("warning", what, error.hint)]
    }
    throw error
  }
}

/** Its namespace is nobody's but this process's, so that nothing is left even when that is killed. */
async function join(host: Host, { name: network }: BridgeNetwork, stack: AsyncDisposableStack): Promise<Canary> {
  const netns = stack.use(Netns.create())
  const name = `linkspan-doctor-${randomBytes(4).toHex()}`
  const path = `/proc/${process.pid}/fd/${netns.fd}`
  const { result } = await attach(host, { name, netns: { kind: "path", path }, networks: [{ network }] }, {})
  stack.defer(() => void detach(host, name, {}))
  const addresses = result.networks.flatMap((one) => one.addresses.map((text) => text.split("/", 1)[0] as Ip))
  return { name, netns, addresses }
}

interface Trial {
  readonly host: Host
  readonly network: BridgeNetwork
  readonly a: Canary
  readonly b: Canary
  readonly from: Ip
  readonly to: Ip
  readonly gateway: Ip | undefined
}

function tryFamily(trial: Trial): Finding[] {
  const { host, network, b, to, gateway } = trial
  const isolation = network.icc ? [] : [tryIsolation(trial)]
  const receiver = network.icc ? { netns: b.netns, ip: to } : { netns: host.namespace.netns, ip: gateway }
  return receiver.ip === undefined
    ? isolation
    : [...tryDatagrams(trial, { netns: receiver.netns, ip: receiver.ip }), ...isolation]
}

function tryDatagrams(
  { host, network, a, from, gateway }: Trial,
  receiver: { readonly netns: Netns; readonly ip: Ip },
): Finding[] {
  const v = family(from)
  const counter = `spoofed_ip${v}`
  const before = refusalCounters(host.namespace.netfilter).get(counter) ?? 0
  using there = new DatagramSocket(receiver.netns, receiver.ip)
  using honest = new DatagramSocket(a.netns, from)
  using liar = new DatagramSocket(a.netns, falseAddress(from, gateway), { pretended: true })
  const isSent = liar.send(receiver.ip, there.port, FALSE)
  honest.send(receiver.ip, there.port, TRUE)
  const first = there.receive(WITHIN_MS)
  const came = first === FALSE ? there.receive(WITHIN_MS) : first
  const counted = (refusalCounters(host.namespace.netfilter).get(counter) ?? 0) > before
  const place = `in network "${network.name}", IPv${v}`
  const whereTo = network.icc ? "another container" : "the gateway"
  return [
    came === TRUE
      ? finding("ok", `${place}: a datagram to ${whereTo} arrived`)
      : finding(
          network.icc ? "error" : "warning",
          `${place}: a datagram to ${whereTo} did not arrive`,
          network.icc
            ? "linkspan reconcile; linkspan firewall status"
            : "See what the host's own packet filter does with input: nft list ruleset",
        ),
    first === FALSE
      ? finding("error", `${place}: a datagram under a false address arrived`, "linkspan reconcile")
      : isSent && counted
        ? finding("ok", `${place}: a datagram under a false address was refused by the rule against that`)
        : finding(
            "warning",
            `${place}: a datagram under a false address did not arrive, but no rule of linkspan's counted it`,
          ),
  ]
}

/** The gateway's, whom everybody would believe; else a neighbour's. */
function falseAddress(own: Ip, gateway: Ip | undefined): Ip {
  if (gateway !== undefined) {
    return gateway
  }
  // The last digit's neighbour is in the same subnet, or at least not the sender's own.
  return own.replace(/.$/, (digit) => (digit === "1" ? "2" : "1")) as Ip
}

/** Somebody listens, and must not be reached. */
function tryIsolation({ network, a, b, from, to }: Trial): Finding {
  const place = `in network "${network.name}", IPv${family(from)}`
  const server = openStreamServer(b.netns, { ip: to, port: PORT })
  try {
    using probe = new ProbePacket(a.netns, from, "tcp")
    const { outcome, error } = probe.send(to, PORT, { withinMs: WITHIN_MS, news: NO_NEWS })
    switch (outcome) {
      case "refused":
        return finding("ok", `${place}: a connection to another container was refused (${error})`)
      case "answered":
        return finding("error", `${place}: a connection to another container succeeded`, "linkspan reconcile")
      default:
        return finding("warning", `${place}: a connection to another container got no answer, and was not seen refused`)
    }
  } finally {
    closeFile(server)
  }
}

function finding(level: Finding["level"], what: string, remedy?: string): Finding {
  return { check: "canary", level, what, ...(remedy === undefined ? {} : { remedy }) }
}
