// The generated parts of docs/firewall.md, each made from what it documents.

import { endpointElements, networkElements } from "#plan/firewall/elements.ts"
import { address, aNetwork, anEndpoint, ifname, ip, mac, prefix } from "#plan/firewall/fixtures.ts"
import { SETS, type SetSpec } from "#plan/firewall/sets.ts"
import type { NftElement } from "#plan/op.ts"
import { PROMISES } from "./firewall-promises.ts"
import { REASONS } from "./firewall-rules.ts"

/** The example: a NAT network "web" whose container publishes three ports, a routed "lan", an internal "db". */
export function exampleElements(): NftElement[] {
  const web = aNetwork()
  const lan = aNetwork({
    bridge: ifname("br-lan"),
    gatewayMode: "routed",
    subnets: [{ prefix: prefix("10.90.0.0/24"), gateway: ip("10.90.0.1"), reserved: [] }],
  })
  const db = aNetwork({
    bridge: ifname("br-db"),
    internal: true,
    subnets: [{ prefix: prefix("10.91.0.0/24"), gateway: ip("10.91.0.1"), reserved: [] }],
  })
  return [
    ...networkElements(web),
    ...endpointElements(
      web,
      anEndpoint({
        publications: [
          { protocol: "tcp", hostPort: 8080, containerPort: 80, count: 1 },
          { protocol: "udp", hostIp: ip("192.0.2.1"), hostPort: 53, containerPort: 5353, count: 1 },
          { protocol: "tcp", hostIp: ip("127.0.0.1"), hostPort: 8000, containerPort: 9000, count: 2 },
        ],
      }),
    ),
    ...networkElements(lan),
    ...endpointElements(
      lan,
      anEndpoint({
        hostIfname: ifname("vethlan1"),
        mac: mac("02:00:00:00:01:02"),
        addresses: [address("10.90.0.2/24")],
        publications: [{ protocol: "tcp", hostPort: 443, containerPort: 443, count: 1 }],
      }),
    ),
    ...networkElements(db),
  ]
}

/** Replaces what stands between `<!-- NAME -->` and `<!-- end of NAME -->`. @throws Error when there is no such place. */
export function withPart(document: string, name: string, content: string): string {
  const { start, end } = place(document, name)
  return `${document.slice(0, start)}\n\n${content.trimEnd()}\n\n${document.slice(end)}`
}

export function part(document: string, name: string): string {
  const { start, end } = place(document, name)
  return document.slice(start, end).trim()
}

function place(document: string, name: string): { readonly start: number; readonly end: number } {
  const [opening, closing] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`]
  const start = document.indexOf(opening) + opening.length
  const end = document.indexOf(closing, start)
  if (start < opening.length || end < 0) {
    throw new Error(`docs/firewall.md has no place for "${name}"`)
  }
  return { start, end }
}

/** The picture in the head of src/plan/firewall/priorities.ts. */
export function hookPicture(source: string): string {
  const comment = source
    .split("\n")
    .filter((line) => line.startsWith("//"))
    .map((line) => line.slice(2))
  return fenced(
    "text",
    comment
      .slice(comment.indexOf("") + 1)
      .map((line) => line.replace(/^ {2}/, ""))
      .join("\n"),
  )
}

export function setTable(): string {
  const rows = Object.entries(SETS).flatMap(([table, sets]) =>
    Object.entries(sets).map(([name, spec]: [string, SetSpec]) => {
      const value = spec.value === undefined ? "" : ` : ${spec.value.join(" . ")}`
      return `| ${table} | \`${name}\` | ${spec.key.join(" . ")}${value} | ${spec.purpose} |`
    }),
  )
  return ["| Table | Set or map | An element | What for |", "| --- | --- | --- | --- |", ...rows].join("\n")
}

export function promiseList(): string {
  const where = (only: 0 | 1 | undefined): string =>
    only === undefined ? "" : ` (with br_netfilter ${only === 0 ? "off" : "on"} only)`
  return PROMISES.map(({ name, only }) => `- ${name}${where(only)}`).join("\n")
}

export function reasonTable(): string {
  const rows = Object.entries(REASONS).map(([name, { breaks }]) => {
    const [chain, rule] = [name.slice(0, name.indexOf(":")), name.slice(name.indexOf(":") + 2)]
    return `| ${chain} | \`${rule}\` | ${breaks} |`
  })
  return ["| Chain | Rule | Without it, it would not be so that … |", "| --- | --- | --- |", ...rows].join("\n")
}

export function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``
}
