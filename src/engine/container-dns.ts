import type { ContainerDns, Link } from "#model/dns.ts"
import type { ContainerDnsDraft } from "#model/validate-dns.ts"
import { findSandbox } from "./find.ts"
import type { Host } from "./host.ts"

/** What a new container has of its own about names, its links found. @throws LinkspanError CONTAINER_NOT_FOUND */
export function containerDns(
  host: Host,
  title: string,
  draft: ContainerDnsDraft | undefined,
): { readonly dns?: ContainerDns } {
  return draft === undefined ? {} : { dns: { ...draft, links: findLinks(host, title, draft.links) } }
}

/** @throws LinkspanError CONTAINER_NOT_FOUND */
export function findLinks(host: Host, title: string, links: ContainerDnsDraft["links"]): Link[] {
  return links.map(({ alias, container }) => ({ alias, containerId: findSandbox(host, title, container).body.id }))
}
