import { query } from "../command.ts"

export const command = query({
  summary: "Print linkspan's whole ruleset",
  description: [
    "Both tables with what this state wants in their sets, as nft -f reads it: loading it puts everything in its place at once.",
  ],
  positionals: {},
  options: {},
  examples: [{ line: "linkspan firewall rules > linkspan.nft", about: "For nft -c -f linkspan.nft, or to read" }],
  request: () => undefined,
  ask: (engine) => engine.firewall.rules(),
  show: (rules) => rules,
})
