// What a test may need of the kernel beyond the minimum, and whether this machine has it. A test that needs something
// names it, and is skipped under that name where it is missing:
//
//   needs("ipvlan")("planIpvlan() puts the container on its parent", async () => { … })
//
// npm test accepts such a skip only when this file says that the feature is truly missing.
// `bun test/features.ts` prints the table as JSON.

import { describe, test } from "bun:test"
import { existsSync } from "node:fs"
import { release } from "node:os"
import { hasDebianRoot } from "./debian-root.ts"

interface Feature {
  /** As a user would ask for it: the kernel option, or what is missing. */
  readonly what: string
  readonly probe: () => boolean
}

/** Two veth ends to hang things on. */
const VETH = "link add p0 type veth peer name p1"

const FEATURES = {
  root: { what: "root", probe: () => process.getuid?.() === 0 },
  bridge: { what: "CONFIG_BRIDGE", probe: () => ip("link add x type bridge") },
  "bridge-vlan-filtering": {
    what: "CONFIG_BRIDGE_VLAN_FILTERING",
    probe: () => ip("link add x type bridge vlan_filtering 1"),
  },
  "br-netfilter": {
    what: "CONFIG_BRIDGE_NETFILTER",
    probe: () => existsSync("/proc/sys/net/bridge/bridge-nf-call-iptables"),
  },
  dummy: { what: "CONFIG_DUMMY", probe: () => ip("link add x type dummy") },
  ifb: { what: "CONFIG_IFB", probe: () => ip("link add x type ifb") },
  ipvlan: { what: "CONFIG_IPVLAN", probe: () => ip(VETH, "link add x link p0 type ipvlan mode l2") },
  macvlan: { what: "CONFIG_MACVLAN", probe: () => ip(VETH, "link add x link p0 type macvlan mode bridge") },
  netem: { what: "CONFIG_NET_SCH_NETEM", probe: () => tc("qdisc add dev lo root netem delay 1ms") },
  tbf: { what: "CONFIG_NET_SCH_TBF", probe: () => tc("qdisc add dev lo root tbf rate 1mbit burst 4k latency 1ms") },
  netkit: { what: "CONFIG_NETKIT", probe: () => ip("link add x type netkit") },
  tun: { what: "CONFIG_TUN", probe: () => ip("tuntap add x mode tap") },
  vlan: { what: "CONFIG_VLAN_8021Q", probe: () => ip(VETH, "link add x link p0 type vlan id 10") },
  vrf: { what: "CONFIG_NET_VRF", probe: () => ip("link add x type vrf table 10") },
  vxlan: { what: "CONFIG_VXLAN", probe: () => ip("link add x type vxlan id 7 dstport 4789 local 192.0.2.1") },
  wireguard: { what: "CONFIG_WIREGUARD", probe: () => ip("link add x type wireguard") },
  "nft-bridge": {
    what: "CONFIG_NF_TABLES_BRIDGE",
    probe: () => nft("table bridge t { chain c { type filter hook forward priority 0; }; }"),
  },
  "nft-egress": {
    what: "CONFIG_NETFILTER_EGRESS",
    probe: () => nft("table netdev t { chain c { type filter hook egress device lo priority 0; }; }"),
  },
  "nft-flowtable": {
    what: "CONFIG_NF_FLOW_TABLE",
    probe: () => nft("table inet t { flowtable f { hook ingress priority 0; devices = { lo }; }; }"),
  },
  "nft-ingress": {
    what: "CONFIG_NETFILTER_INGRESS",
    probe: () => nft("table netdev t { chain c { type filter hook ingress device lo priority 0; }; }"),
  },
  "nft-queue": { what: "CONFIG_NFT_QUEUE", probe: () => nft("table inet t { chain c { queue num 1; }; }") },
  "nft-tproxy": {
    what: "CONFIG_NFT_TPROXY",
    probe: () =>
      nft("table ip t { chain c { type filter hook prerouting priority -150; tcp dport 1 tproxy to :1 accept; }; }"),
  },
  "kernel-config": {
    what: "a readable kernel configuration",
    probe: () => existsSync("/proc/config.gz") || existsSync(`/boot/config-${release()}`),
  },
  ipv6: { what: "CONFIG_IPV6", probe: () => existsSync("/proc/net/if_inet6") },
  sctp: {
    what: "CONFIG_IP_SCTP",
    probe: () =>
      inFreshNetns(["python3", "-c", "import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)"]),
  },
  // Fetched by the test that needs them.
  "podman-of-sid": { what: "packages of Debian's unstable suite", probe: () => hasDebianRoot("sid") },
  "podman-of-experimental": {
    what: "packages of Debian's experimental suite",
    probe: () => hasDebianRoot("experimental"),
  },
  "unprivileged-user-namespaces": {
    what: "user namespaces for users without root",
    probe: () =>
      runs(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "unshare", "--user", "--net", "true"]),
  },
} as const satisfies Record<string, Feature>

export type FeatureName = keyof typeof FEATURES

const found = new Map<FeatureName, boolean>()

/** Whether this machine has the feature; asked once a process. */
export function has(name: FeatureName): boolean {
  let present = found.get(name)
  if (present === undefined) {
    present = FEATURES[name].probe()
    found.set(name, present)
  }
  return present
}

/** `test`, or where a feature is missing `test.skip` under a name that says so. */
export function needs(
  ...names: readonly FeatureName[]
): (name: string, body: () => Promise<void> | void, timeoutMs?: number) => void {
  const missing = names.filter((name) => !has(name))
  return missing.length === 0
    ? (name, body, timeoutMs) => test(name, body, timeoutMs)
    : (name, body) => test.skip(label(name, missing), body)
}

/** The same for a group of tests. */
export function describeNeeds(...names: readonly FeatureName[]): (name: string, body: () => void) => void {
  const missing = names.filter((name) => !has(name))
  return missing.length === 0 ? describe : (name, body) => describe.skip(label(name, missing), body)
}

function label(name: string, missing: readonly FeatureName[]): string {
  return `${name} [needs ${missing.join(", ")}]`
}

function ip(...lines: readonly string[]): boolean {
  return inFreshNetns(["ip", "-batch", "-"], `${lines.join("\n")}\n`)
}

function tc(line: string): boolean {
  return inFreshNetns(["tc", "-batch", "-"], `${line}\n`)
}

function nft(ruleset: string): boolean {
  return inFreshNetns(["nft", "-f", "-"], ruleset)
}

function inFreshNetns(command: readonly string[], input = ""): boolean {
  return runs(["unshare", "--net", ...command], input)
}

function runs(cmd: string[], input = ""): boolean {
  return Bun.spawnSync({ cmd, stdin: Buffer.from(input), stdout: "ignore", stderr: "ignore" }).success
}

if (import.meta.main) {
  const names = Object.keys(FEATURES) as FeatureName[]
  const table = Object.fromEntries(names.map((name) => [name, { what: FEATURES[name].what, present: has(name) }]))
  console.log(JSON.stringify(table, undefined, 2))
}
