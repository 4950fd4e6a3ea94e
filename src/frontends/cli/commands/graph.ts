import type { Topology } from "#model/topology.ts"
import { act } from "../command.ts"
import { oneOf } from "../value.ts"

const FORMATS = ["svg", "dot", "mermaid", "json"]

export const command = act({
  summary: "Draw how everything is wired",
  description: [
    "Every namespace that linkspan knows, with its interfaces, the bridges and the cables between them, published ports: as the kernel has it in this moment.",
  ],
  positionals: {},
  options: {
    output: {
      kind: "one",
      short: "o",
      value: oneOf("FORMAT", FORMATS),
      about:
        "svg (the default): a picture for browsers and documents. dot: for Graphviz. mermaid: for Markdown. json: what pictures are drawn from",
    },
  },
  examples: [
    { line: "linkspan graph > host.svg", about: "A picture" },
    { line: "linkspan graph -o dot | dot -Tpdf > host.pdf", about: "By Graphviz" },
  ],
  request: ({ options }) => options.output ?? "svg",
  async act(session, format) {
    const topology = await (await session.engine()).topology()
    await (session.globals.json ? session.printJson(topology) : session.world.out(await write(topology, format)))
    return 0
  },
})

async function write(topology: Topology, format: string): Promise<string> {
  if (format === "svg") {
    return (await import("#picture/svg.ts")).svgOf(topology)
  }
  const { dotOf, mermaidOf } = await import("#picture/graph.ts")
  return format === "dot" ? dotOf(topology) : mermaidOf(topology)
}
