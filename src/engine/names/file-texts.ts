// What stands in a container's resolv.conf and hosts.

import type { Ip } from "#inet/ip.ts"
import type { ContainerDns } from "#model/dns.ts"
import type { Endpoint, Sandbox } from "#model/sandbox.ts"

export interface ResolverFacts {
  /** Asked by the container; the host's own when empty. */
  readonly servers: readonly Ip[]
  readonly dns: ContainerDns | undefined
  /** Of the networks that the container is on, by their DHCP servers. */
  readonly domains: readonly string[]
  /** Whether linkspan answers. */
  readonly named: boolean
  /** The host's own resolv.conf. */
  readonly host: string
}

/** resolv.conf(5). */
export function resolverText({ servers, dns, domains, named, host }: ResolverFacts): string {
  const nameservers = servers.length > 0 ? servers : valuesOf(host, "nameserver")
  const [search = []] = [dns?.search ?? [], domains, valuesOf(host, "search")].filter(({ length }) => length > 0)
  const own = dns?.options ?? []
  // With ndots:0 a name without a dot is asked for as it stands first, which is what containers are called.
  const options = named && !own.some((option) => option.startsWith("ndots:")) ? ["ndots:0", ...own] : own
  return [
    ...nameservers.map((server) => `nameserver ${server}`),
    ...(search.length === 0 ? [] : [`search ${search.join(" ")}`]),
    ...(options.length === 0 ? [] : [`options ${options.join(" ")}`]),
    "",
  ].join("\n")
}

function valuesOf(text: string, keyword: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([first, ...values]) => (first === keyword ? values : []))
}

const LOOPBACK = [
  "127.0.0.1 localhost",
  "::1 localhost ip6-localhost ip6-loopback",
  "ff02::1 ip6-allnodes",
  "ff02::2 ip6-allrouters",
]

/** hosts(5): the container itself, and what it was given with --add-host. */
export function hostsText({ name, hostname, dns }: Sandbox, endpoints: readonly Endpoint[]): string {
  const names = [...new Set([hostname, name])].join(" ")
  return [
    ...LOOPBACK,
    ...endpoints.flatMap(({ addresses }) => addresses.map(({ ip }) => `${ip} ${names}`)),
    // A file has no wildcards; the resolver knows them.
    ...(dns?.records ?? [])
      .filter((record) => !record.name.startsWith("*"))
      .flatMap((record) => record.addresses.map((ip) => `${ip} ${record.name}`)),
    "",
  ].join("\n")
}
