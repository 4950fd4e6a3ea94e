// The same wiring for programs that lay it out by themselves: Graphviz' language and Mermaid's flowcharts.

import type { Topology } from "#model/topology.ts"
import { outerLinks } from "./wiring.ts"

/** https://graphviz.org/doc/info/lang.html */
export function dotOf({ host, networks, containers, cables, gates }: Topology): string {
  const lines = [
    "graph linkspan {",
    '  graph [compound=true, rankdir=TB, fontname="monospace"]',
    '  node [shape=box, fontname="monospace"]',
    '  edge [fontname="monospace"]',
    "  subgraph cluster_host {",
    `    label=${quoted(host.name)}`,
    ...outerLinks({ host, networks, cables }).map(
      ({ ifname, addresses }) => `    ${quoted(`host/${ifname}`)} [label=${quoted([ifname, ...addresses].join("\n"))}]`,
    ),
    ...networks.map(
      ({ id, name, ifname, driver, mode, subnets }) =>
        `    ${quoted(id)} [shape=component, label=${quoted([`${name} (${ifname ?? driver}, ${mode})`, ...subnets].join("\n"))}]`,
    ),
    "  }",
    ...containers.map(
      ({ id, name, links }) =>
        `  ${quoted(id)} [style=rounded, label=${quoted([name, ...addressesOf(links)].join("\n"))}]`,
    ),
    ...cables.map(
      ({ network, near, far }) =>
        `  ${quoted(network)} -- ${quoted(far.space)} [taillabel=${quoted(near.ifname)}, headlabel=${quoted(far.ifname)}]`,
    ),
    ...gates.map(
      (gate, index) =>
        `  gate${index} [shape=cds, label=${quoted(gateText(gate))}]\n  gate${index} -- ${quoted(gate.container)} [style=dashed]`,
    ),
    "}",
  ]
  return `${lines.join("\n")}\n`
}

/** https://mermaid.js.org/syntax/flowchart.html */
export function mermaidOf({ host, networks, containers, cables, gates }: Topology): string {
  const ids = new Map<string, string>(
    [...networks.map(({ id }) => id), ...containers.map(({ id }) => id)].map((id, index) => [id, `n${index}`]),
  )
  const lines = [
    "flowchart TB",
    "  subgraph host",
    ...outerLinks({ host, networks, cables }).map(
      ({ ifname, addresses }, index) => `    l${index}[${label([ifname, ...addresses])}]`,
    ),
    ...networks.map(
      ({ id, name, ifname, driver, mode, subnets }) =>
        `    ${ids.get(id)}[[${label([`${name} (${ifname ?? driver}, ${mode})`, ...subnets])}]]`,
    ),
    "  end",
    ...containers.map(({ id, name, links }) => `  ${ids.get(id)}(${label([name, ...addressesOf(links)])})`),
    ...cables.map(
      ({ network, near, far }) =>
        `  ${ids.get(network)} ---|${label([`${near.ifname} – ${far.ifname}`])}| ${ids.get(far.space)}`,
    ),
    ...gates.map((gate, index) => `  g${index}>${label([gateText(gate)])}] -.- ${ids.get(gate.container)}`),
  ]
  return `${lines.join("\n")}\n`
}

/** Those that others reach it at. */
function addressesOf(links: Topology["host"]["links"]): string[] {
  return links
    .filter(({ ifname }) => ifname !== "lo")
    .flatMap(({ addresses }) => addresses.filter((address) => !address.startsWith("fe80:")))
}

function gateText({ protocol, hostIp, hostPort, containerPort, count }: Topology["gates"][number]): string {
  const last = (first: number): string => (count === 1 ? "" : `-${first + count - 1}`)
  return `${hostIp ?? "*"} ${hostPort}${last(hostPort)} → ${containerPort}${last(containerPort)}/${protocol}`
}

/** A quoted string has no escapes but that of its quotes, and \\n for a line's end. */
function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`
}

/** Entity codes are the only escapes of Mermaid's labels. */
function label(lines: readonly string[]): string {
  const plain = (text: string): string => text.replaceAll(/[#"<>&|`]/g, (character) => `#${character.codePointAt(0)};`)
  return `"${lines.map(plain).join("<br/>")}"`
}
