// Records test/fixtures/wire/*.hex: what iproute2, conntrack and ss really send, and what the kernel really answers.
// strace shows the bytes; the kernel's headers say what they are called. Everything happens in two network namespaces
// of its own. As root, with strace, iproute2, conntrack, nftables and linux-libc-dev:
//
//   bun scripts/capture-netlink.ts [NAME …]

import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { ipFromBytes } from "#inet/ip.ts"
import { AF_BRIDGE } from "#wire/family.ts"
import { run } from "../test/run.ts"
import { header } from "../test/wire/uapi.ts"

const DIRECTORY = join(import.meta.dir, "../test/fixtures/wire")
const HOST = `capture-${process.pid}`
const INSIDE = `${HOST}-in`

interface Scene {
  readonly name: string
  readonly command: string
  readonly direction: "request" | "reply"
  /** Of several messages the first whose text (the fixture's lines) has this. */
  readonly having?: string
}

const VETH_HOST = "02:00:00:00:00:01"
const VETH_INSIDE = "02:00:00:00:00:02"

/** In order: each builds on the ones before. */
const SCENES: readonly (Scene | { readonly set: string })[] = [
  { set: "ip link set lo up" },
  {
    name: "link-add-bridge",
    direction: "request",
    command: "ip link add br0 mtu 1450 address 02:00:00:00:00:10 type bridge mcast_snooping 0",
  },
  {
    name: "link-add-veth",
    direction: "request",
    command: `ip link add v0 mtu 1450 address ${VETH_HOST} type veth peer name eth0 netns ${INSIDE} address ${VETH_INSIDE} mtu 1450`,
  },
  { name: "link-set-master", direction: "request", command: "ip link set dev v0 master br0 up", having: "IFLA_MASTER" },
  {
    name: "link-set-bridge-slave",
    direction: "request",
    command: "ip link set dev v0 type bridge_slave isolated on hairpin on",
    having: "IFLA_BRPORT",
  },
  {
    name: "link-set-addrgenmode",
    direction: "request",
    command: "ip link set dev v0 addrgenmode none",
    having: "IFLA_AF_SPEC",
  },
  { set: "ip link set br0 up" },
  { set: "ip link add p0 type veth peer name p1" },
  {
    name: "link-add-macvlan",
    direction: "request",
    command: `ip link add mv0 link p0 netns ${INSIDE} address 02:00:00:00:00:20 type macvlan mode bridge`,
  },
  { set: "ip link add mv1 link p0 address 02:00:00:00:00:21 type macvlan mode private" },
  { name: "addr-add-v4", direction: "request", command: "ip addr add 192.0.2.1/24 brd + dev br0", having: "IFA_LOCAL" },
  {
    name: "addr-add-v6",
    direction: "request",
    command: "ip addr add 2001:db8::1/64 dev br0 nodad",
    having: "IFA_LOCAL",
  },
  {
    name: "route-add-v4",
    direction: "request",
    command: "ip route add default via 192.0.2.2 dev br0 metric 100",
    having: "RTA_GATEWAY",
  },
  {
    name: "route-add-local-v6",
    direction: "request",
    command: "ip -6 route add local ::1 dev br0 table local metric 4096",
    having: "RTA_OIF",
  },
  {
    name: "neigh-add-proxy",
    direction: "request",
    command: "ip neigh add proxy 2001:db8::2 dev br0",
    having: "NDA_DST",
  },
  { name: "link-bridge", direction: "reply", command: "ip link show dev br0", having: "IFLA_INFO_KIND" },
  { name: "link-bridge-counters", direction: "reply", command: "ip -s link show dev br0", having: "IFLA_STATS64" },
  { name: "link-bridge-port", direction: "reply", command: "ip link show dev v0", having: "IFLA_INFO_SLAVE_KIND" },
  { name: "link-macvlan", direction: "reply", command: "ip link show", having: "IFLA_MACVLAN_MODE" },
  { name: "addr-v4", direction: "reply", command: "ip -4 addr show dev br0", having: "IFA_LOCAL" },
  { name: "addr-v6", direction: "reply", command: "ip -6 addr show dev br0", having: "20010db8" },
  { name: "route-v4", direction: "reply", command: "ip -4 route show", having: "RTA_GATEWAY" },
  { name: "route-local-v6", direction: "reply", command: "ip -6 route show table local", having: "= 4096" },
  {
    name: "refusal",
    direction: "reply",
    command: "ip route add 198.51.100.0/24 via 203.0.113.1",
    having: "NLMSGERR_ATTR_MSG",
  },
  { set: "ip addr add 10.9.0.2/32 dev lo" },
  { set: "ip addr add 2001:db8:9::2/128 dev lo nodad" },
  {
    set: "nft table inet t { chain out { type nat hook output priority -100; ip daddr 192.0.2.1 udp dport 53 dnat to 10.9.0.2:5353; ip6 daddr 2001:db8::1 tcp dport 8080 dnat to [2001:db8:9::2]:80; }; }",
  },
  { set: "python3 -c FLOWS" },
  { name: "conntrack-udp-v4", direction: "reply", command: "conntrack -L -p udp", having: "CTA_PROTO_NUM = 17" },
  { name: "conntrack-tcp-v6", direction: "reply", command: "conntrack -L -f ipv6 -p tcp", having: "CTA_PROTOINFO_TCP" },
  {
    name: "conntrack-delete",
    direction: "request",
    command: "conntrack -D -p udp --reply-src 10.9.0.2",
    having: "CTA_TUPLE_IP",
  },
  { name: "sock-diag-listener", direction: "reply", command: "ss -H -l -n -t -6 -e", having: "INET_DIAG_SKV6ONLY" },
  {
    name: "qdisc-replace-tbf",
    direction: "request",
    command: "tc qdisc replace dev br0 root tbf rate 10mbit burst 64k latency 25ms",
    having: "TCA_TBF_PARMS",
  },
  { name: "qdisc-tbf", direction: "reply", command: "tc qdisc show dev br0", having: "TCA_TBF_PARMS" },
  {
    name: "link-add-bridge-vlan",
    direction: "request",
    command: "ip link add br1 type bridge mcast_snooping 0 vlan_filtering 1 vlan_default_pvid 10",
  },
  {
    name: "port-vlan-add",
    direction: "request",
    command: "bridge vlan add dev v0 vid 10 pvid untagged",
    having: "IFLA_AF_SPEC",
  },
  { name: "port-vlan-del", direction: "request", command: "bridge vlan del dev v0 vid 1-4094", having: "IFLA_AF_SPEC" },
  { name: "link-del", direction: "request", command: "ip link del dev v0" },
]

/** One flow through each translation, and a listener that stays. */
const FLOWS = `
import socket, os
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("10.9.0.2", 5353))
c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); c.bind(("192.0.2.1", 40000)); c.sendto(b"?", ("192.0.2.1", 53))
_, peer = u.recvfrom(9); u.sendto(b"!", peer); c.recv(9)
t = socket.socket(socket.AF_INET6, socket.SOCK_STREAM); t.setsockopt(41, 26, 1); t.bind(("2001:db8:9::2", 80)); t.listen()
s = socket.create_connection(("2001:db8::1", 8080), source_address=("2001:db8::1", 40001)); a, _ = t.accept()
print("ready", flush=True)
if os.fork() > 0: os._exit(0)
os.close(0); os.close(1); os.close(2)
import time; time.sleep(20)
`

// ── Names ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** An enum of attributes, by one of its names. */
interface Names {
  readonly header: string
  readonly member: string
}

const IF_LINK = "linux/if_link.h"
const CONNTRACK = "linux/netfilter/nfnetlink_conntrack.h"
const link = (member: string): Names => ({ header: IF_LINK, member })
const flow = (member: string): Names => ({ header: CONNTRACK, member })

const LINK = link("IFLA_IFNAME")
const KINDS: Readonly<Record<string, Names>> = {
  bridge: link("IFLA_BR_STP_STATE"),
  macvlan: link("IFLA_MACVLAN_MODE"),
  veth: { header: "linux/veth.h", member: "VETH_INFO_PEER" },
}
const FAMILIES: Readonly<Record<number, readonly [string, Names]>> = {
  2: ["AF_INET", link("IFLA_INET_CONF")],
  10: ["AF_INET6", link("IFLA_INET6_ADDR_GEN_MODE")],
}
/** What stands in an attribute; headed by that many bytes of a struct. */
const NESTS: Readonly<Record<string, Names & { readonly headed?: number }>> = {
  IFLA_LINKINFO: link("IFLA_INFO_KIND"),
  IFLA_INFO_SLAVE_DATA: link("IFLA_BRPORT_STATE"),
  VETH_INFO_PEER: { ...LINK, headed: 16 },
  CTA_TUPLE_ORIG: flow("CTA_TUPLE_IP"),
  CTA_TUPLE_REPLY: flow("CTA_TUPLE_IP"),
  CTA_TUPLE_IP: flow("CTA_IP_V4_SRC"),
  CTA_TUPLE_PROTO: flow("CTA_PROTO_NUM"),
  TCA_OPTIONS: { header: "linux/pkt_sched.h", member: "TCA_TBF_PARMS" },
  CTA_PROTOINFO: flow("CTA_PROTOINFO_TCP"),
  CTA_PROTOINFO_TCP: flow("CTA_PROTOINFO_TCP_STATE"),
}

interface Kind {
  readonly name: string
  readonly header: string
  readonly bytes: number
  readonly attributes: Names
  readonly bigEndian?: boolean
  /** What stands in IFLA_AF_SPEC when it is not keyed by family. */
  readonly spec?: Names
}

const rtnl = (name: string, struct: string, bytes: number, attributes: Names): Kind => ({
  name,
  header: struct,
  bytes,
  attributes,
})
const ADDRESS = { header: "linux/if_addr.h", member: "IFA_LOCAL" }
const ROUTE = { header: "linux/rtnetlink.h", member: "RTA_OIF" }
const ct = (name: string): Kind => ({
  name,
  header: "nfgenmsg",
  bytes: 4,
  attributes: flow("CTA_TUPLE_ORIG"),
  bigEndian: true,
})

const KIND_OF: Readonly<Record<number, Kind>> = {
  16: rtnl("RTM_NEWLINK", "ifinfomsg", 16, LINK),
  17: rtnl("RTM_DELLINK", "ifinfomsg", 16, LINK),
  19: rtnl("RTM_SETLINK", "ifinfomsg", 16, LINK),
  [20]: { ...rtnl("RTM_NEWADDR", "ifaddrmsg", 8, ADDRESS) },
  24: rtnl("RTM_NEWROUTE", "rtmsg", 12, ROUTE),
  28: rtnl("RTM_NEWNEIGH", "ndmsg", 12, { header: "linux/neighbour.h", member: "NDA_DST" }),
  36: rtnl("RTM_NEWQDISC", "tcmsg", 20, { header: "linux/rtnetlink.h", member: "TCA_KIND" }),
  256: ct("IPCTNL_MSG_CT_NEW"),
  258: ct("IPCTNL_MSG_CT_DELETE"),
}
const DIAG: Kind = {
  name: "SOCK_DIAG_BY_FAMILY",
  header: "inet_diag_msg",
  bytes: 72,
  attributes: { header: "linux/inet_diag.h", member: "INET_DIAG_MEMINFO" },
}
const REFUSAL: Kind = {
  name: "NLMSG_ERROR",
  header: "errno and the request",
  bytes: 20,
  attributes: { header: "linux/netlink.h", member: "NLMSGERR_ATTR_MSG" },
}

function nameOf({ header: file, member }: Names, type: number): string {
  const names = header(file).enums.find((one) => [...one.values()].includes(member))
  const name = names?.get(type) ?? "__"
  // The end of the enum in headers that are older than the kernel.
  return name.startsWith("__") ? `#${type}` : name
}

// ── Bytes to lines ──────────────────────────────────────────────────────────────────────────────────────────────────

function hex(bytes: Uint8Array): string {
  return bytes.toHex()
}

function line(depth: number, bytes: Uint8Array, groups: readonly number[], comment: string): string {
  const parts: string[] = []
  let at = 0
  for (const size of [...groups, bytes.length]) {
    const part = bytes.subarray(at, Math.min(at + size, bytes.length))
    if (part.length > 0) {
      parts.push(hex(part))
    }
    at += size
  }
  const spelled = `${"  ".repeat(depth)}${parts.join(" ")}`
  return `${spelled.padEnd(44)} # ${comment}`
}

function describe(message: Uint8Array, kind: Kind): string[] {
  const view = new DataView(message.buffer, message.byteOffset)
  const length = view.getUint32(0, true)
  const flags = view.getUint16(6, true).toString(16)
  return [
    line(0, message.subarray(0, 16), [4, 2, 2, 4], `nlmsghdr: ${length} bytes, ${kind.name}, flags 0x${flags}`),
    line(0, message.subarray(16, 16 + kind.bytes), [], kind.header),
    ...describeAttributes(message.subarray(16 + kind.bytes, length), kind, 0, kind.attributes, {}),
  ]
}

function describeAttributes(
  bytes: Uint8Array,
  kind: Kind,
  depth: number,
  names: Names | undefined,
  siblings: Record<string, string>,
): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const lines: string[] = []
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = view.getUint16(at, true)
    const type = view.getUint16(at + 2, true) & 0x3fff
    if (length < 4) {
      throw new Error(`There are no attributes in ${hex(bytes)}`)
    }
    const end = Math.min(at + ((length + 3) & ~3), bytes.length)
    const payload = bytes.subarray(at + 4, at + length)
    const [name, inner] =
      names === undefined ? (FAMILIES[type] ?? [`#${type}`, undefined]) : insideOf(nameOf(names, type), siblings, kind)
    if (name === "IFLA_INFO_KIND" || name === "IFLA_INFO_SLAVE_KIND") {
      siblings["kind"] = new TextDecoder().decode(payload).replace("\0", "")
    }
    if (inner === undefined) {
      lines.push(line(depth, bytes.subarray(at, end), [2, 2, length - 4], `${name}${meaning(name, payload, kind)}`))
    } else {
      const headed = inner === "families" ? 0 : ((inner as { headed?: number }).headed ?? 0)
      lines.push(line(depth, bytes.subarray(at, at + 4 + headed), [2, 2], `${name}${headed > 0 ? ", ifinfomsg" : ""}`))
      const rest = bytes.subarray(at + 4 + headed, end)
      lines.push(...describeAttributes(rest, kind, depth + 1, inner === "families" ? undefined : inner, {}))
    }
    at = end
  }
  return lines
}

function insideOf(
  name: string,
  siblings: Readonly<Record<string, string>>,
  { spec = "families" }: { readonly spec?: Names | "families" },
): readonly [string, Names | "families" | undefined] {
  if (name === "IFLA_AF_SPEC") {
    return [name, spec]
  }
  return [name, name === "IFLA_INFO_DATA" ? KINDS[siblings["kind"] ?? ""] : NESTS[name]]
}

const ADDRESS_NAMES = /^(IFA_(ADDRESS|LOCAL|BROADCAST)|RTA_(DST|GATEWAY|PREFSRC)|NDA_DST|CTA_IP_V\d_(SRC|DST))$/

function meaning(name: string, payload: Uint8Array, { bigEndian = false }: Kind): string {
  if (ADDRESS_NAMES.test(name)) {
    return ` ${ipFromBytes(payload)}`
  }
  const text = new TextDecoder().decode(payload).replace(/\0$/, "")
  if (/^[\w .:-]{2,}$/.test(text)) {
    return ` "${text}"`
  }
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  switch (payload.length) {
    case 1:
      return ` = ${view.getUint8(0)}`
    case 2:
      return ` = ${view.getUint16(0, !bigEndian)}`
    case 4:
      return ` = ${view.getUint32(0, !bigEndian)}`
    default:
      return payload.length > 16 ? `, ${payload.length} bytes` : ""
  }
}

// ── Capturing ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** What a program sent and received, a datagram each; strace prints them as hexadecimal dumps. */
async function trace(
  command: readonly string[],
): Promise<{ readonly sent: Uint8Array[]; readonly received: Uint8Array[] }> {
  const calls = "trace=sendmsg,sendto,recvmsg,recvfrom"
  const { stderr } = await run(
    inNetns(["strace", "-e", calls, "-e", "write=all", "-e", "read=all", "-s", "0", ...command]),
  )
  const sent: Uint8Array[] = []
  const received: Uint8Array[] = []
  let into: Uint8Array[] = sent
  let dump = ""
  const flush = (): void => {
    if (dump !== "") {
      into.push(Uint8Array.fromHex(dump))
    }
    dump = ""
  }
  for (const each of stderr.split("\n")) {
    const row = /^ \| [0-9a-f]{5} {2}([0-9a-f ]{48})/.exec(each)?.[1]
    if (row !== undefined) {
      dump += row.replaceAll(" ", "")
      continue
    }
    flush()
    if (/^(send|recv)/.test(each)) {
      into = each.startsWith("send") ? sent : received
    }
  }
  flush()
  return { sent, received }
}

function* messagesOf(datagrams: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const datagram of datagrams) {
    const view = new DataView(datagram.buffer, datagram.byteOffset)
    for (let at = 0; at + 16 <= datagram.length; ) {
      const length = view.getUint32(at, true)
      if (length < 16) {
        break
      }
      yield datagram.subarray(at, at + length)
      at += (length + 3) & ~3
    }
  }
}

const NLMSG_ERROR = 2
const NLM_F_CAPPED = 0x100
const NLM_F_ACK_TLVS = 0x200

function kindOf(message: Uint8Array): Kind | undefined {
  const view = new DataView(message.buffer, message.byteOffset)
  const type = view.getUint16(4, true)
  if (type === NLMSG_ERROR) {
    // One with attributes behind the repeated header, which is all that the kernel says of success.
    const flags = view.getUint16(6, true)
    const echoed = (flags & NLM_F_CAPPED) === 0 ? view.getUint32(20, true) : 16
    return (flags & NLM_F_ACK_TLVS) === 0 ? undefined : { ...REFUSAL, bytes: 4 + ((echoed + 3) & ~3) }
  }
  // The same number for links and for sockets: those have a longer header, and the family first.
  const kind = type === 20 && message.length > 100 ? DIAG : KIND_OF[type]
  const isAboutPort = kind?.header === "ifinfomsg" && message[16] === AF_BRIDGE
  return isAboutPort ? { ...kind, spec: { header: "linux/if_bridge.h", member: "IFLA_BRIDGE_VLAN_INFO" } } : kind
}

function inNetns(command: readonly string[]): string[] {
  return ["nsenter", `--net=/run/netns/${HOST}`, "--", ...command]
}

async function capture(scene: Scene): Promise<void> {
  const { sent, received } = await trace(scene.command.split(" "))
  for (const message of messagesOf(scene.direction === "request" ? sent : received)) {
    const kind = kindOf(message)
    const isProbe = message.length === 32 && message.subarray(16).every((byte) => byte === 0)
    if (kind === undefined || isProbe) {
      continue
    }
    const lines = describe(message, kind)
    if (scene.having !== undefined && !lines.some((one) => one.includes(scene.having ?? ""))) {
      continue
    }
    const head = [
      `# command:   ${scene.command.replaceAll(INSIDE, "inside")}`,
      `# kernel:    ${readFileSync("/proc/sys/kernel/osrelease", "utf8").trim()}`,
      `# iproute2:  ${(await run(["ip", "-V"])).stdout.trim().replace(/.*iproute2-([\d.]+).*/, "$1")}`,
      ...(scene.command.startsWith("conntrack")
        ? [`# conntrack: ${(await run(["conntrack", "--version"])).stdout.trim().replace(/.* v([\d.]+) .*/, "$1")}`]
        : []),
      `# direction: ${scene.direction}`,
    ]
    writeFileSync(join(DIRECTORY, `${scene.name}.hex`), `${[...head, "", ...lines].join("\n")}\n`)
    console.log(`${scene.name}.hex: ${message.length} bytes`)
    return
  }
  throw new Error(`${scene.command}: no message with ${scene.having ?? "anything"} in it`)
}

async function set(command: string): Promise<void> {
  const [program = "", ...args] = command.startsWith("nft ")
    ? ["nft", command.slice(4)]
    : command
        .replace("FLOWS", "\0")
        .split(" ")
        .map((word) => (word === "\0" ? FLOWS : word))
  ;(await run(inNetns([program, ...args]))).ok()
}

const wanted = Bun.argv.slice(2)
mkdirSync(DIRECTORY, { recursive: true })
try {
  for (const name of [HOST, INSIDE]) {
    ;(await run(["ip", "netns", "add", name])).ok()
  }
  for (const scene of SCENES) {
    if ("set" in scene) {
      await set(scene.set)
    } else if (wanted.length === 0 || wanted.includes(scene.name)) {
      await capture(scene)
    } else {
      // What it is to be refused for is among them.
      await run(inNetns(scene.command.split(" ")))
    }
  }
} finally {
  for (const name of [HOST, INSIDE]) {
    await run(["ip", "netns", "delete", name])
  }
}
