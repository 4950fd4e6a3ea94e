import { query } from "../command.ts"
import { oneOf } from "../value.ts"

const FORMATS = ["svg", "dot", "mermaid"] as const

export const command = query({
  summary: "Draw how everything is wired",
  description: [
    "Every namespace that linkspan knows, with its interfaces, the bridges and the cables between them, published ports: as the kernel has it in this moment. With -o json, what pictures are drawn from.",
  ],
  positionals: {},
  options: {
    as: {
      kind: "one",
      value: oneOf("LANGUAGE", FORMATS),
      about: "svg (the default): a picture for browsers and documents. dot: for Graphviz. mermaid: for Markdown",
    },
  },
  examples: [
    { line: "linkspan graph > host.svg", about: "A picture" },
    { line: "linkspan graph --as dot | dot -Tpdf > host.pdf", about: "By Graphviz" },
  ],
  request: ({ options }) => options.as ?? "svg",
  async ask(engine, as) {
    return { as, ...(await engine.topology()) }
  },
  async show({ as, ...topology }) {
    if (as === "svg") {
      return (await import("#picture/svg.ts")).svgOf(topology)
    }
    const { dotOf, mermaidOf } = await import("#picture/graph.ts")
    return as === "dot" ? dotOf(topology) : mermaidOf(topology)
  },
})
