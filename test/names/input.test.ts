// What other people's packet filters do to questions at a gateway, and whether linkspan says the same of it.

import { expect, test } from "bun:test"
import { Host } from "../host.ts"
import { cli, dig } from "./tools.ts"

const chain = (rules: string): string => `nft -f - <<'END'
table inet theirs {
  chain allowed { udp dport 53 accept; }
  chain in { type filter hook input priority 0; policy drop; ct state established,related accept; iifname "lo" accept
${rules}
}
}
END`
const iptables = (...rules: string[]): string =>
  ["iptables -P INPUT DROP", ...rules.map((rule) => `iptables -A INPUT ${rule}`)].join("; ")

const CASES: readonly (readonly [says: string, set: string, passes: boolean])[] = [
  ["a policy of drop", chain(""), false],
  ["the port accepted", chain("udp dport 53 accept"), true],
  [
    "the port accepted, from linkspan's bridges",
    chain('iifname "ls-*" meta l4proto { tcp, udp } th dport 53 accept'),
    true,
  ],
  ["the port accepted, from others' bridges", chain('iifname "virbr*" udp dport 53 accept'), false],
  ["the port among others", chain("udp dport { 53, 67 } accept"), true],
  ["others than the port", chain("udp dport { 67, 68 } accept"), false],
  ["protocol and port together", chain("meta l4proto . th dport { udp . 53, tcp . 22 } accept"), true],
  ["the port accepted from the network's addresses", chain("ip saddr 10.89.7.0/24 udp dport 53 accept"), true],
  ["another protocol", chain("tcp dport 53 accept"), false],
  ["a chain of its own", chain('iifname "ls-*" jump allowed'), true],
  ["a drop before it", chain('iifname "ls-*" drop\nudp dport 53 accept'), false],
  ["iptables, drop", iptables(), false],
  ["iptables, the port accepted", iptables("-i ls-+ -p udp --dport 53 -j ACCEPT"), true],
  ["iptables, a drop of what is not for the host", iptables("-m addrtype --dst-type LOCAL -j ACCEPT", "-j DROP"), true],
  ["iptables, a drop of what is for the host", iptables("-m addrtype --dst-type LOCAL -j DROP", "-j ACCEPT"), false],
  ["iptables, another port", iptables("-i ls-+ -p udp --dport 67 -j ACCEPT"), false],
]

test("linkspan says what other packet filters do to questions at gateways", async () => {
  await using host = await Host.create({ names: true })
  const a = await host.netns("a")
  await cli(host, "network create web --subnet 10.89.7.0/24")
  await cli(host, "attach a --network web --netns", a.path)
  {
    await using linkspan = await host.linkspan()
    for (const [says, set, passes] of CASES) {
      await host.exec(["sh", "-e", "-c", set])
      const asked = (await dig(a, "@10.89.7.1", "a.web"))[0]
      const { nameObstacles } = await linkspan.firewall.status()
      expect({ says, asked, obstacles: nameObstacles.length }).toEqual({
        says,
        asked: passes ? "10.89.7.2" : "silence",
        obstacles: passes ? 0 : 1,
      })
      await host.exec(["sh", "-c", "nft delete table inet theirs; nft delete table ip filter; true"])
    }
  }
  await cli(host, "detach a")
  await cli(host, "network rm web")
})
