// Forgetting one container's flows leaves everybody else's alone, in both families. (The kernel's own filter does not
// for IPv6: it compares the wrong way round.)

import { expect, test } from "bun:test"
import type { Ip } from "#inet/ip.ts"
import { forgetFlows } from "#kernel/conntrack.ts"
import { Namespace } from "#kernel/namespace.ts"
import { Netns } from "#kernel/netns.ts"
import { Host } from "../host.ts"

for (const [name, ours, theirs, client] of [
  ["IPv4", "10.5.0.5", "10.5.0.6", "192.0.2.99"],
  ["IPv6", "2001:db8:5::5", "2001:db8:5::6", "2001:db8::99"],
] as const) {
  test(`${name}: by port, by a range of ports, and by address`, async () => {
    await using host = await Host.create()
    using namespace = new Namespace(Netns.open(host.path), "host")
    const make = async (address: string, port: number): Promise<void> => {
      const tuple = ["-s", client, "-d", address, "-r", address, "-q", client]
      const ports = ["--sport", "1000", "--dport", `${port}`, "--reply-port-src", `${port}`, "--reply-port-dst", "1000"]
      await host.exec(["conntrack", "-I", "-p", "udp", ...tuple, ...ports, "-t", "100"])
    }
    const left = async (): Promise<string[]> => {
      const { stdout } = await host.exec(["conntrack", "-L", "-f", name.toLowerCase()])
      return [...stdout.matchAll(/ dst=(\S+) sport=1000 dport=(\d+) /g)]
        .map(([, to, port]) => `${to} ${port}`)
        .toSorted()
    }
    const ip = ours as Ip
    for (const port of [90, 91, 95]) {
      await make(ours, port)
      await make(theirs, port)
    }
    const everybodyElse = [90, 91, 95].map((port) => `${theirs} ${port}`)
    forgetFlows(namespace.netfilter, [{ ip, protocol: "udp", containerPort: 90 }])
    expect(await left()).toEqual([`${ours} 91`, `${ours} 95`, ...everybodyElse])
    forgetFlows(namespace.netfilter, [{ ip, protocol: "udp", containerPort: 90, count: 3 }])
    expect(await left()).toEqual([`${ours} 95`, ...everybodyElse])
    forgetFlows(namespace.netfilter, [{ ip }])
    expect(await left()).toEqual(everybodyElse)
    await host.exec(["conntrack", "-F"])
  })
}
