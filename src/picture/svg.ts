// The picture as a file of its own: no script, no font, nothing from anywhere else.

import type { Topology } from "#model/topology.ts"
import { draw, type Make } from "./draw.ts"
import { layout } from "./layout.ts"

type Colour = "paper" | "ink" | "soft" | "frame" | "box" | "bridge" | "cable" | "gate" | "gateEdge" | "down"
type Palette = Readonly<Record<Colour, string>>

const LIGHT: Palette = {
  paper: "#ffffff",
  ink: "#1c2330",
  soft: "#5d6879",
  frame: "#c3ccd8",
  box: "#f5f7fa",
  bridge: "#e3ecfb",
  cable: "#3b6fd4",
  gate: "#fdf1dc",
  gateEdge: "#c8871b",
  down: "#c0392b",
}
const DARK: Palette = {
  paper: "#12161d",
  ink: "#e6eaf0",
  soft: "#9aa6b6",
  frame: "#3a4453",
  box: "#1b212b",
  bridge: "#1c2a44",
  cable: "#6f9cf0",
  gate: "#33280f",
  gateEdge: "#d9a441",
  down: "#ef6f61",
}

/** Plain colours in every rule: viewers outside of browsers know no CSS variables. */
function rules(of: Palette): string {
  return `
.linkspan{background:${of.paper};font:11px ui-monospace,SFMono-Regular,Menlo,monospace}
.linkspan text{fill:${of.ink}}
.linkspan .name{font-size:12px;font-weight:600}
.linkspan .detail,.linkspan .end{fill:${of.soft}}
.linkspan .end{font-size:9px}
.linkspan rect.host{fill:none;stroke:${of.frame};stroke-width:2}
.linkspan rect.interface,.linkspan rect.container{fill:${of.box};stroke:${of.frame}}
.linkspan rect.bridge{fill:${of.bridge};stroke:${of.cable}}
.linkspan rect.gate{fill:${of.gate};stroke:${of.gateEdge}}
.linkspan rect.plug{fill:${of.paper};stroke:${of.cable}}
.linkspan path.cable{fill:none;stroke:${of.cable};stroke-width:1.5}
.linkspan .macvlan path.cable,.linkspan .ipvlan path.cable{stroke-dasharray:5 4}
.linkspan .down rect,.linkspan .missing rect{stroke:${of.down}}
.linkspan path.stub{fill:none;stroke:${of.down};stroke-width:2}
.linkspan .stopped text{fill:${of.down}}
.linkspan .exited rect,.linkspan .gone rect{stroke-dasharray:4 4;opacity:.6}
`
}

/** Light, and dark where the reader's system is. */
export const STYLE = `${rules(LIGHT)}@media (prefers-color-scheme:dark){${rules(DARK)}}
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
  return text
    .toWellFormed()
    .replaceAll(/(?![\t\n])[\p{Cc}\ufffe\uffff]/gu, "\ufffd")
    .replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? "")
}
