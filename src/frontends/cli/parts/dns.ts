// What can be said about names: of a network, and of one container.

import { quote } from "#model/quote.ts"
import type { ContainerDnsRequest, CreateNetworkRequest, DnsRecordRequest } from "#model/request.ts"
import type { Given, Options, Origins, Positionals } from "../command.ts"
import { text, type Value } from "../value.ts"

interface Written<T> {
  readonly text: string
  readonly request: T
}

/** "" after the equals sign takes the name away. */
const record: Value<Written<DnsRecordRequest>> = {
  metavar: "NAME=IP[,IP…]",
  read(written, refuse) {
    const equals = written.indexOf("=")
    if (equals <= 0) {
      refuse(`${quote(written)} is no record; write NAME=ADDRESS`)
      return undefined
    }
    const addresses = written
      .slice(equals + 1)
      .split(",")
      .filter((address) => address !== "")
    return { text: written, request: { name: written.slice(0, equals), addresses } }
  },
}

/** Docker writes NAME:IP, and NAME=IP since an IPv6 address has colons of its own. */
const host: Value<Written<DnsRecordRequest>> = {
  metavar: "NAME:IP",
  read(written, refuse) {
    const at = written.search(/[:=]/)
    const address = written.slice(at + 1).replace(/^\[(.*)\]$/, "$1")
    if (at <= 0 || address === "") {
      refuse(`${quote(written)} is no host; write NAME:ADDRESS`)
      return undefined
    }
    return { text: written, request: { name: written.slice(0, at), addresses: [address] } }
  },
}

export const link: Value<Written<{ readonly container: string; readonly alias: string }>> = {
  metavar: "CONTAINER[:ALIAS]",
  candidates: "container",
  read(written, refuse) {
    const [container = "", alias = container, ...more] = written.split(":")
    if (container === "" || alias === "" || more.length > 0) {
      refuse(`${quote(written)} is no link; write CONTAINER:ALIAS`)
      return undefined
    }
    return { text: written, request: { container, alias } }
  },
}

export const NETWORK_DNS = {
  names: {
    kind: "flag",
    negatable: true,
    about: "Whether linkspan answers the names of the network's containers (the default)",
  },
  dns: {
    kind: "many",
    value: text("ADDRESS"),
    about: "Ask this server about all other names, rather than the host's; none for the host's again",
  },
  "dns-cache": {
    kind: "flag",
    negatable: true,
    about: "Whether what servers say is kept for as long as they allow (the default)",
  },
  "dns-record": {
    kind: "many",
    value: record,
    about: "A name of the network with fixed addresses; *.NAME for every name below it; NAME= takes it away again",
  },
} as const satisfies Options

type NetworkValues = Given<typeof NETWORK_DNS, Positionals>["options"]

export function readNetworkDns({
  names,
  dns,
  "dns-record": records,
  "dns-cache": cache,
}: NetworkValues): Pick<CreateNetworkRequest, "dns" | "dnsServers" | "dnsRecords" | "dnsCache"> {
  return {
    ...(names === undefined ? {} : { dns: names }),
    ...(dns.length === 0 ? {} : { dnsServers: dns.filter((server) => server !== "none") }),
    ...(records.length === 0 ? {} : { dnsRecords: records.map(({ request }) => request) }),
    ...(cache === undefined ? {} : { dnsCache: cache }),
  }
}

export function networkDnsOrigins({ "dns-record": records }: NetworkValues): Origins {
  return {
    dns: "--no-names",
    dnsServers: "--dns",
    dnsRecords: "--dns-record",
    dnsCache: "--no-dns-cache",
    ...Object.fromEntries(records.map(({ text: written }, i) => [`dnsRecords[${i}]`, `--dns-record ${written}`])),
  }
}

export const CONTAINER_DNS = {
  dns: {
    kind: "many",
    value: text("ADDRESS"),
    about: "Ask this server about names that are not the networks' own, rather than theirs or the host's",
  },
  "dns-search": { kind: "many", value: text("DOMAIN"), about: "A domain in which short names are looked for" },
  "dns-option": {
    kind: "many",
    value: text("OPTION"),
    aliases: ["dns-opt"],
    about: "An option of resolv.conf(5), such as ndots:2",
  },
  "add-host": { kind: "many", value: host, about: "A name with a fixed address, for this container alone" },
  link: { kind: "many", value: link, about: "Another container, under a name that only this one knows" },
  resolver: {
    kind: "flag",
    negatable: true,
    about:
      "Whether linkspan listens at 127.0.0.11 inside (the default); not beside a name server of its own at port 53",
  },
} as const satisfies Options

type ContainerValues = Given<typeof CONTAINER_DNS, Positionals>["options"]

export function readContainerDns(options: ContainerValues): { readonly dns?: ContainerDnsRequest } {
  const dns = {
    ...(options.dns.length === 0 ? {} : { servers: options.dns }),
    ...(options["dns-search"].length === 0 ? {} : { search: options["dns-search"] }),
    ...(options["dns-option"].length === 0 ? {} : { options: options["dns-option"] }),
    ...(options["add-host"].length === 0 ? {} : { hosts: options["add-host"].map(({ request }) => request) }),
    ...(options.link.length === 0 ? {} : { links: options.link.map(({ request }) => request) }),
    ...(options.resolver === undefined ? {} : { resolver: options.resolver }),
  }
  return Object.keys(dns).length === 0 ? {} : { dns }
}

export function containerDnsOrigins(options: ContainerValues): Origins {
  return {
    dns: "--dns",
    "dns.servers": "--dns",
    "dns.search": "--dns-search",
    "dns.options": "--dns-option",
    "dns.hosts": "--add-host",
    "dns.links": "--link",
    "dns.resolver": "--no-resolver",
    ...Object.fromEntries(options["add-host"].map(({ text: t }, i) => [`dns.hosts[${i}]`, `--add-host ${t}`])),
    ...Object.fromEntries(options.link.map(({ text: t }, i) => [`dns.links[${i}]`, `--link ${t}`])),
  }
}
