// What the data path is held against: veth pairs on a plain bridge with nothing else on it, and one hand-written DNAT
// and one masquerade rule a port, as an expert would type them. No filter, no anti-spoofing.

import { existsSync } from "node:fs"
import { CONTAINER_PORT, type Contender, hostPort, type Start } from "../contender.ts"
import { ipBatch, netnsName, nft, run } from "../lab.ts"

export const start: Start = async ({ namespaces }) => {
  await run("sysctl", "-qw", "net.ipv4.ip_forward=1")
  if (existsSync("/proc/sys/net/bridge")) {
    // Where br_netfilter is loaded (dockerd does that), a new namespace sends bridged packets through iptables' hooks.
    await run(
      "sysctl",
      "-qw",
      ...["iptables", "ip6tables", "arptables"].map((of) => `net.bridge.bridge-nf-call-${of}=0`),
    )
  }
  await ipBatch(["link add plain0 type bridge", "addr add 10.75.0.1/16 dev plain0", "link set plain0 up"])
  await nft(`
table ip plain {
  chain prerouting { type nat hook prerouting priority dstnat; }
  chain postrouting { type nat hook postrouting priority srcnat; ip saddr 10.75.0.0/16 oifname != "plain0" masquerade; }
}
`)
  const address = (n: number) => `10.75.${(n + 10) >> 8}.${(n + 10) & 255}`

  const contender: Contender = {
    version: (await run("nft", "--version")).trim(),
    address,
    async attach(n) {
      const netns = netnsName(namespaces[n] ?? "")
      const began = performance.now()
      await ipBatch([`link add p${n} master plain0 type veth peer name eth0 netns ${netns}`, `link set p${n} up`])
      await ipBatch(
        [`addr add ${address(n)}/16 dev eth0`, "link set lo up", "link set eth0 up", "route add default via 10.75.0.1"],
        netns,
      )
      await nft(
        `add rule ip plain prerouting fib daddr type local tcp dport ${hostPort(n)} dnat to ${address(n)}:${CONTAINER_PORT}\n`,
      )
      return performance.now() - began
    },
    async detach(n) {
      const began = performance.now()
      await ipBatch([`link del p${n}`])
      return performance.now() - began
    },
    async close() {},
  }
  return contender
}
