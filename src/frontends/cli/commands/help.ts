import { act } from "../command.ts"
import { text } from "../value.ts"

export const command = act({
  summary: "Show what a command does and how it is written",
  positionals: {
    first: { kind: "optional", value: text("COMMAND") },
    second: { kind: "optional", value: text("SUBCOMMAND") },
  },
  options: {},
  examples: [
    { line: "linkspan help", about: "All commands" },
    { line: "linkspan help network create", about: "One command, with examples" },
  ],
  request: ({ positionals }) => [positionals.first, positionals.second].filter((word) => word !== undefined),
  async act(session, words) {
    const { printHelp } = await import("../print/help.ts")
    return printHelp(words, session)
  },
})
