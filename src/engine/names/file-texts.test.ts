import { expect, test } from "bun:test"
import type { Ip } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import type { ContainerDns } from "#model/dns.ts"
import type { Ifname } from "#model/name.ts"
import { hostsText, resolverText } from "./file-texts.ts"

const ip = (text: string) => text as Ip
const HOST = "# by hand\nnameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch lan example.org\noptions rotate\n"
const OWN: ContainerDns = { servers: [], search: ["svc.example"], options: ["ndots:2"], records: [], links: [] }

for (const { name, facts, want } of [
  {
    name: "linkspan answers: a name without a dot is asked for as it stands",
    facts: { servers: [ip("127.0.0.11")], dns: undefined, domains: [], named: true, host: HOST },
    want: "nameserver 127.0.0.11\nsearch lan example.org\noptions ndots:0\n",
  },
  {
    name: "the container's own search domains and options win",
    facts: { servers: [ip("127.0.0.11")], dns: OWN, domains: ["dhcp.example"], named: true, host: HOST },
    want: "nameserver 127.0.0.11\nsearch svc.example\noptions ndots:2\n",
  },
  {
    name: "nobody answers, and a DHCP server has said who does",
    facts: { servers: [ip("198.51.100.53")], dns: undefined, domains: ["dhcp.example"], named: false, host: HOST },
    want: "nameserver 198.51.100.53\nsearch dhcp.example\n",
  },
  {
    name: "nobody answers: the host's servers",
    facts: { servers: [], dns: undefined, domains: [], named: false, host: HOST },
    want: "nameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch lan example.org\n",
  },
]) {
  test(`resolverText(): ${name}`, () => {
    expect(resolverText(facts)).toBe(want)
  })
}

test("hostsText() names the container at each of its addresses, and what was added", () => {
  const dns = {
    ...OWN,
    records: [
      { name: "printer", addresses: [ip("192.0.2.9"), ip("2001:db8::9")] },
      { name: "*.x", addresses: [ip("192.0.2.8")] },
    ],
  }
  const endpoint = {
    id: "e",
    sandbox: "s",
    network: "n",
    ifname: "eth0" as Ifname,
    mac: "02:00:00:00:00:01" as Mac,
    addresses: [
      { ip: ip("10.89.0.2"), length: 24 },
      { ip: ip("fd00::2"), length: 64 },
    ],
    gateways: [],
    gatewayPriority: 0,
    aliases: [],
    publications: [],
  }
  expect(
    hostsText({ id: "s", name: "api", hostname: "api.example", createdAt: "", labels: {}, mode: "private", dns }, [
      endpoint,
    ]),
  ).toBe(`127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback
ff02::1 ip6-allnodes
ff02::2 ip6-allrouters
10.89.0.2 api.example api
fd00::2 api.example api
192.0.2.9 printer
2001:db8::9 printer
`)
})
