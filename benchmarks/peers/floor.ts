// The kernel's own floor: the same operations by `ip -batch` (one batch for the host's side, one inside the container's
// namespace) and one `nft -f`, minus what the same three processes take to do nothing. What remains is the kernel's
// work, plus the little that ip and nft need to parse their lines.

import { CONTAINER_PORT, type Contender, hostPort, type Start } from "../contender.ts"
import { ipBatch, netnsName, nft, run } from "../lab.ts"
import { median } from "../statistics.ts"

// The shape that linkspan's own rules have: their number is constant; sets and maps carry the containers.
const RULESET = `
table inet floor {
  map published { type inet_proto . inet_service : ipv4_addr . inet_service; }
  chain prerouting { type nat hook prerouting priority dstnat; fib daddr type local dnat ip to meta l4proto . th dport map @published; }
  chain output { type nat hook output priority -100; fib daddr type local dnat ip to meta l4proto . th dport map @published; }
  chain postrouting { type nat hook postrouting priority srcnat; ip saddr 10.74.0.0/16 oifname != "floor0" masquerade; }
  chain forward { type filter hook forward priority filter; ct state established,related accept; oifname "floor0" ct status dnat accept; }
}
table bridge floor {
  set ports { type ifname; }
  set macs { type ifname . ether_addr; }
  set sources4 { type ifname . ether_addr . ipv4_addr; }
  set sources6 { type ifname . ether_addr . ipv6_addr; }
  chain guard { iifname . ether saddr . ip saddr @sources4 accept; iifname . ether saddr . ip6 saddr @sources6 accept; iifname . ether saddr @macs arp operation request accept; drop; }
  chain prerouting { type filter hook prerouting priority dstnat; iifname @ports goto guard; }
}
`
const EMPTY_RUNS = 3

function address(n: number): string {
  return `10.74.${(n + 10) >> 8}.${(n + 10) & 255}`
}

function mac(n: number): string {
  return `02:42:00:00:${(n >> 8).toString(16).padStart(2, "0")}:${(n & 255).toString(16).padStart(2, "0")}`
}

function elements(verb: "add" | "delete", n: number): string {
  const port = `"fl${n}"`
  return [
    `${verb} element bridge floor ports { ${port} }`,
    `${verb} element bridge floor macs { ${port} . ${mac(n)} }`,
    `${verb} element bridge floor sources4 { ${port} . ${mac(n)} . ${address(n)} }`,
    `${verb} element bridge floor sources6 { ${port} . ${mac(n)} . fe80::${n + 1} }`,
    `${verb} element inet floor published { tcp . ${hostPort(n)} : ${address(n)} . ${CONTAINER_PORT} }`,
  ].join("\n")
}

export const start: Start = async ({ namespaces }) => {
  await run("sysctl", "-qw", "net.ipv4.ip_forward=1")
  await ipBatch(["link add floor0 type bridge", "addr add 10.74.0.1/16 dev floor0", "link set floor0 up"])
  await nft(RULESET)

  async function nothing(netns?: string): Promise<number> {
    const samples: number[] = []
    for (let i = 0; i < EMPTY_RUNS; i++) {
      samples.push(await ipBatch([], netns))
    }
    return median(samples)
  }
  async function nothingOfNft(): Promise<number> {
    const samples: number[] = []
    for (let i = 0; i < EMPTY_RUNS; i++) {
      samples.push(await nft("\n"))
    }
    return median(samples)
  }

  const contender: Contender = {
    version: `${(await run("ip", "-Version")).trim()}, ${(await run("nft", "--version")).trim()}`,
    async attach(n) {
      const netns = netnsName(namespaces[n] ?? "")
      const idle = (await nothing()) + (await nothing(netns)) + (await nothingOfNft())
      const host = await ipBatch([
        `link add fl${n} type veth peer name eth0 netns ${netns} address ${mac(n)}`,
        `link set dev fl${n} addrgenmode none`,
        `link set dev fl${n} master floor0 up`,
      ])
      const inside = await ipBatch(
        [
          "link set dev lo up",
          "link set dev eth0 addrgenmode none",
          "link set dev eth0 up",
          `addr add ${address(n)}/16 dev eth0`,
          "route add default via 10.74.0.1 dev eth0",
        ],
        netns,
      )
      return host + inside + (await nft(elements("add", n))) - idle
    },
    async detach(n) {
      const idle = (await nothing()) + (await nothingOfNft())
      return (await nft(elements("delete", n))) + (await ipBatch([`link del fl${n}`])) - idle
    },
    async close() {},
  }
  return contender
}
