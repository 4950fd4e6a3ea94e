// Who answered about a name and from what, in a few words.

import type { NameAnswer } from "../linkspan.ts"

const REASONS = {
  name: "a container's name",
  id: "a container's id",
  hostname: "a container's host name",
  alias: "an alias",
  record: "a record",
  link: "a link",
  localhost: "this machine",
} as const

export function toldBy(source: NameAnswer["source"]): string {
  switch (source.kind) {
    case "name":
      return source.networks.length === 0
        ? `answered by linkspan: ${REASONS[source.reason]}, of this container alone`
        : `answered by linkspan: ${REASONS[source.reason]} on ${source.networks.join(", ")}`
    case "address":
      return "answered by linkspan: an address of its own networks"
    case "server":
      return source.server === undefined
        ? `no answer from ${source.servers.join(", ") || "any server: there is none"}`
        : `answered by ${source.server}${source.ageS === undefined ? "" : `, ${source.ageS} s ago`}`
    case "internal":
      return "answered by linkspan: all networks of the container are internal, so nobody else is asked"
    case "stranger":
      return "refused by linkspan: the container is on no network with names"
  }
}
