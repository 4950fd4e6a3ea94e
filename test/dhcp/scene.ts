// A host with a bridge of somebody else's, lan0, behind which a DHCP server may be: where networks with DHCP are made.

import type { Host } from "../host.ts"
import type { Netns } from "../netns.ts"
import { until } from "../run.ts"
import { DhcpServer, type DhcpServerOptions } from "./server.ts"

export interface Lan extends AsyncDisposable {
  /** Behind the bridge, at 198.51.100.1/24. */
  readonly server: Netns
  serve(more?: Partial<DhcpServerOptions>): Promise<DhcpServer>
  /** What differs in the host from how the scene was set. */
  changes(): Promise<string[]>
}

export const LAN_OPTIONS = [
  "--dhcp-option=option:router,198.51.100.1",
  "--dhcp-option=option:dns-server,198.51.100.53",
  "--dhcp-option=option:domain-name,lan.example",
] as const

export async function lan(host: Host): Promise<Lan> {
  const server = await host.netns("server")
  await host.exec(["ip", "link", "add", "lan0", "type", "bridge"])
  await host.exec(["ip", "link", "add", "lanport", "type", "veth", "peer", "name", "eth0", "netns", server.name])
  for (const ifname of ["lan0", "lanport"]) {
    await host.exec(["ip", "link", "set", ifname, "addrgenmode", "none"])
  }
  await host.exec(["ip", "link", "set", "lanport", "master", "lan0", "up"])
  await host.exec(["ip", "link", "set", "lan0", "up"])
  await server.exec(["ip", "address", "add", "198.51.100.1/24", "dev", "eth0"])
  await server.exec(["ip", "link", "set", "eth0", "up"])
  await server.exec(["ip", "link", "set", "lo", "up"])
  const isUp = async (): Promise<true | undefined> => ((await host.link("lan0"))?.operstate === "UP" ? true : undefined)
  await until(isUp, 10_000)
  const asSet = await host.changes()
  return {
    server,
    changes: async () => (await host.changes()).filter((line) => !asSet.includes(line)),
    serve: (more = {}) =>
      DhcpServer.start(server, {
        ifname: "eth0",
        leaseFile: host.file("leases"),
        range: "198.51.100.100,198.51.100.150,255.255.255.0",
        more: LAN_OPTIONS,
        ...more,
      }),
    async [Symbol.asyncDispose]() {
      await host.exec(["ip", "link", "delete", "lanport"])
      await host.exec(["ip", "link", "delete", "lan0"])
    },
  }
}
