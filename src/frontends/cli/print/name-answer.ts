// `linkspan dns query`: the answer, and who gave it.

import type { NameAnswer } from "#engine/linkspan.ts"
import { type Look, paint, plain } from "./look.ts"

export function answerText({ name, type, rcode, records, source }: NameAnswer, look: Look): string {
  const answers =
    records.length > 0
      ? records.map((record) => `${paint(look, "bold", plain(record.name))} ${record.type} ${plain(record.data)}`)
      : [rcode === "NOERROR" ? `${plain(name)} has no ${type} records` : `${plain(name)}: ${rcode}`]
  return `${[...answers, paint(look, "dim", why(source))].join("\n")}\n`
}

const REASONS = {
  name: "a container's name",
  id: "a container's id",
  hostname: "a container's host name",
  alias: "an alias",
  record: "a record",
  link: "a link",
  localhost: "this machine",
} as const

function why(source: NameAnswer["source"]): string {
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
