// The picture as a file of its own: no script, no font, nothing from anywhere else.

import type { Topology } from "#model/topology.ts"
import { draw, type Make } from "./draw.ts"
import { layout } from "./layout.ts"

/** Light, and dark where the reader's system is. */
export const STYLE = `
.linkspan{--paper:#fff;--ink:#1c2330;--soft:#5d6879;--frame:#c9d1dc;--box:#f5f7fa;--bridge:#e3ecfb;--edge:#3b6fd4;--gate:#fdf1dc;--gate-edge:#c8871b;--cable:#3b6fd4;--down:#c0392b;font:11px ui-monospace,SFMono-Regular,Menlo,monospace;background:var(--paper)}
@media (prefers-color-scheme:dark){.linkspan{--paper:#12161d;--ink:#e6eaf0;--soft:#9aa6b6;--frame:#343d4b;--box:#1b212b;--bridge:#1c2a44;--edge:#6f9cf0;--gate:#33280f;--gate-edge:#d9a441;--cable:#6f9cf0;--down:#ef6f61}}
.linkspan text{fill:var(--ink)}
.linkspan .name{font-size:12px;font-weight:600}
.linkspan .detail{fill:var(--soft)}
.linkspan .end{fill:var(--soft);font-size:9px}
.linkspan rect.host{fill:none;stroke:var(--frame);stroke-width:2}
.linkspan rect.interface,.linkspan rect.container{fill:var(--box);stroke:var(--frame)}
.linkspan rect.bridge{fill:var(--bridge);stroke:var(--edge)}
.linkspan rect.gate{fill:var(--gate);stroke:var(--gate-edge)}
.linkspan rect.plug{fill:var(--paper);stroke:var(--cable)}
.linkspan path.cable{fill:none;stroke:var(--cable);stroke-width:1.5}
.linkspan .macvlan path.cable,.linkspan .ipvlan path.cable{stroke-dasharray:5 4}
.linkspan .down>rect,.linkspan .missing>rect{stroke:var(--down)}
.linkspan .exited>rect,.linkspan .gone>rect{stroke-dasharray:4 4;opacity:.6}
`

export function svgOf(topology: Topology): string {
  return `${draw(element, layout(topology), element("style", {}, STYLE)).markup}\n`
}

interface Markup {
  readonly markup: string
}

const element: Make<Markup> = (tag, attributes, ...children) => {
  const words = Object.entries(attributes).map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
  const inside = children.map((child) => (typeof child === "string" ? escaped(child) : child.markup))
  return { markup: `<${tag}${words.join("")}>${inside.join("")}</${tag}>` }
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }

/** Interfaces may be called almost anything (dev_valid_name() in the kernel), also what no XML may hold. */
function escaped(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
  return text.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd").replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? "")
}
