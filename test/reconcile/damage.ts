// Everything that others can do to what linkspan made: planted with foreign tools, one at a time.

import type { Host } from "../host.ts"
import type { Netns } from "../netns.ts"

/** What there is to be damaged. */
export interface Scene {
  readonly host: Host
  /** On both networks, with published ports. */
  readonly a: Netns
  /** On "hard" only. */
  readonly b: Netns
  /** The bridges of "web" and of "hard", whose containers may not talk to each other. */
  readonly web: string
  readonly hard: string
  /** The host's ends of the cables of `a` to "web" and to "hard". */
  readonly port: string
  readonly hardPort: string
  /** The same of `b` to "hard". */
  readonly otherPort: string
}

export interface Damage {
  readonly name: string
  readonly plant: (scene: Scene) => Promise<unknown>
  /** One of the sentences that name it. */
  readonly said: RegExp
}

function nft(scene: Scene, ...words: readonly string[]): Promise<unknown> {
  return scene.host.exec(["nft", ...words])
}

function inHost(...words: readonly string[]): (scene: Scene) => Promise<unknown> {
  return ({ host }) => host.ip(words)
}

export const DAMAGES: readonly Damage[] = [
  // The ruleset
  { name: "a flushed ruleset", plant: (scene) => nft(scene, "flush", "ruleset"), said: /tables are missing/ },
  {
    name: "one of two tables deleted",
    plant: (scene) => nft(scene, "delete", "table", "bridge", "linkspan"),
    said: /tables are missing/,
  },
  {
    name: "an element deleted",
    plant: (scene) => nft(scene, "delete", "element", "inet", "linkspan", "bridges", `{ "${scene.web}" }`),
    said: /1 firewall element is missing/,
  },
  {
    name: "an element of a map deleted",
    plant: (scene) => nft(scene, "delete", "element", "inet", "linkspan", "published4", "{ tcp . 8080 }"),
    said: /1 firewall element is missing/,
  },
  {
    name: "a published port led elsewhere",
    plant: async (scene) => {
      await nft(scene, "delete", "element", "inet", "linkspan", "published4", "{ tcp . 8080 }")
      await nft(scene, "add", "element", "inet", "linkspan", "published4", "{ tcp . 8080 : 192.0.2.2 . 80 }")
    },
    said: /1 firewall element is there without a reason/,
  },
  {
    name: "an element that nobody asked for",
    plant: (scene) => nft(scene, "add", "element", "inet", "linkspan", "bridges", '{ "stranger0" }'),
    said: /1 firewall element is there without a reason/,
  },
  {
    name: "a rule deleted",
    plant: async (scene) => {
      const rule = (await scene.host.nft()).find((each) => each.rule?.chain === "forward")?.rule
      await nft(scene, "delete", "rule", "inet", "linkspan", "forward", "handle", String(rule?.handle))
    },
    said: /rules were changed by somebody else/,
  },
  {
    name: "a chain flushed",
    plant: (scene) => nft(scene, "flush", "chain", "inet", "linkspan", "forward"),
    said: /rules were changed by somebody else/,
  },
  {
    name: "a rule of somebody else's in one of our chains",
    plant: (scene) => nft(scene, "insert", "rule", "inet", "linkspan", "forward", "ip", "saddr", "203.0.113.7", "drop"),
    said: /rules were changed by somebody else/,
  },
  {
    name: "a chain of somebody else's in our table",
    plant: (scene) => nft(scene, "add", "chain", "inet", "linkspan", "stranger"),
    said: /rules were changed by somebody else/,
  },
  {
    name: "the rules of another version",
    plant: async (scene) => {
      const { stdout } = await scene.host.exec(["nft", "list", "table", "inet", "linkspan"])
      const former = stdout
        .replace(/(?<=comment "state \w+ rules )\w+/, "00000000")
        .replace(/^.*ct status seen-reply .*\n/m, "")
      await scene.host.exec(["nft", "-f", "-"], { input: `delete table inet linkspan\n${former}` })
    },
    said: /rules are those of another version/,
  },
  // The host
  {
    name: "IPv4 forwarding switched off",
    plant: ({ host }) => host.setSysctl("net.ipv4.ip_forward", 0),
    said: /net\.ipv4\.ip_forward is 0 instead of 1/,
  },
  {
    name: "IPv6 forwarding switched off",
    plant: ({ host }) => host.setSysctl("net.ipv6.conf.all.forwarding", 0),
    said: /net\.ipv6\.conf\.all\.forwarding is 0 instead of 1/,
  },
  // Bridges
  {
    name: "a bridge's address deleted",
    plant: (scene) => inHost("address", "delete", "10.81.0.1/24", "dev", scene.web)(scene),
    said: /has lost its address 10\.81\.0\.1\/24/,
  },
  {
    name: "a bridge's IPv6 address deleted",
    plant: (scene) => inHost("address", "delete", "fd81::1/64", "dev", scene.web)(scene),
    said: /has lost its address fd81::1\/64/,
  },
  {
    name: "the route to a network deleted",
    plant: ({ host, web }) => host.exec(["ip", "route", "delete", "10.81.0.0/24", "dev", web]),
    said: /has lost its route to 10\.81\.0\.0\/24/,
  },
  {
    name: "the IPv6 route to a network deleted",
    plant: ({ host, web }) => host.exec(["ip", "-6", "route", "delete", "fd81::/64", "dev", web]),
    said: /has lost its route to fd81::\/64/,
  },
  {
    name: "a bridge down",
    plant: (scene) => inHost("link", "set", scene.web, "down")(scene),
    said: /is down/,
  },
  {
    name: "a bridge with another MTU",
    plant: (scene) => inHost("link", "set", scene.hard, "mtu", "1350")(scene),
    said: /MTU of 1350 instead of 1400/,
  },
  {
    name: "a bridge's setting changed",
    plant: ({ host, web }) => host.setSysctl(`net/ipv4/conf/${web}/route_localnet`, 0),
    said: /route_localnet = 0 instead of 1/,
  },
  {
    name: "a bridge's route to ::1 deleted",
    plant: ({ host, web }) =>
      host.exec(["ip", "-6", "route", "delete", "local", "::1/128", "dev", web, "table", "local"]),
    said: /local route to ::1/,
  },
  {
    name: "a bridge deleted",
    plant: (scene) => inHost("link", "delete", scene.web)(scene),
    said: /bridge .* is missing/,
  },
  {
    name: "a bridge deleted that answers for its containers",
    plant: (scene) => inHost("link", "delete", scene.hard)(scene),
    said: /bridge .* is missing/,
  },
  {
    name: "an answer for a container deleted",
    plant: (scene) => inHost("neighbour", "delete", "proxy", "fd82::2", "dev", scene.hard)(scene),
    said: /does not answer for address fd82::2/,
  },
  // Ports
  {
    name: "a veth pulled from its bridge",
    plant: (scene) => inHost("link", "set", scene.port, "nomaster")(scene),
    said: /is not on bridge/,
  },
  {
    name: "a veth moved to another bridge",
    plant: (scene) => inHost("link", "set", scene.port, "master", scene.hard)(scene),
    said: /is not on bridge/,
  },
  {
    name: "a port that is not isolated any more",
    plant: (scene) => inHost("link", "set", scene.hardPort, "type", "bridge_slave", "isolated", "off")(scene),
    said: /has isolated off/,
  },
  {
    name: "a port in hairpin mode",
    plant: (scene) => inHost("link", "set", scene.port, "type", "bridge_slave", "hairpin", "on")(scene),
    said: /has hairpin on/,
  },
  {
    name: "the host's end of a cable down",
    plant: (scene) => inHost("link", "set", scene.port, "down")(scene),
    said: /is down/,
  },
  {
    name: "another container's cable deleted",
    plant: (scene) => inHost("link", "delete", scene.otherPort)(scene),
    said: /has lost its cable/,
  },
  {
    name: "a cable deleted",
    plant: (scene) => inHost("link", "delete", scene.hardPort)(scene),
    said: /has lost its cable/,
  },
  // Containers
  {
    name: "a container's end of a cable down",
    plant: ({ a }) => a.ip(["link", "set", "eth0", "down"]),
    said: /interface "eth0" .* is down/,
  },
  {
    name: "a container's end of a cable deleted",
    plant: ({ a }) => a.ip(["link", "delete", "eth0"]),
    said: /has lost its cable/,
  },
  {
    name: "a container's address deleted",
    plant: ({ a }) => a.ip(["address", "delete", "10.81.0.2/24", "dev", "eth0"]),
    said: /has lost its address 10\.81\.0\.2\/24/,
  },
  {
    name: "a container's IPv6 address deleted",
    plant: ({ b }) => b.ip(["address", "delete", "fd82::3/64", "dev", "eth0"]),
    said: /has lost its address fd82::3\/64/,
  },
  {
    name: "a container's default route deleted",
    plant: ({ a }) => a.ip(["route", "delete", "default"]),
    said: /has lost its default route/,
  },
  {
    name: "a container's IPv6 default route deleted",
    plant: ({ a }) => a.exec(["ip", "-6", "route", "delete", "default"]),
    said: /has lost its default route/,
  },
  {
    name: "everything at once",
    plant: async (scene) => {
      await nft(scene, "flush", "ruleset")
      await inHost("link", "delete", scene.web)(scene)
      await inHost("link", "delete", scene.hard)(scene)
      await inHost("link", "delete", scene.port)(scene)
      await scene.host.setSysctl("net.ipv4.ip_forward", 0)
      await scene.host.setSysctl("net.ipv6.conf.all.forwarding", 0)
      await scene.a.ip(["address", "delete", "10.82.0.2/24", "dev", "eth1"])
    },
    said: /bridge .* is missing/,
  },
]
