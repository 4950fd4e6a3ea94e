import { change } from "../command.ts"
import { changeEach } from "../each.ts"
import { text } from "../value.ts"

export const command = change({
  summary: "Remove containers that have ended",
  description: ["The JSON form is a list, one element a container."],
  positionals: { containers: { kind: "many", value: text("CONTAINER", "container") } },
  options: { force: { kind: "flag", short: "f", about: "Running ones too; they are killed" } },
  examples: [
    { line: "linkspan rm api", about: "Remove an ended container, with its networks and log" },
    { line: "linkspan rm -f api db", about: "Whatever they are doing" },
  ],
  request: ({ positionals, options }) => ({ containers: positionals.containers, force: options.force ?? false }),
  origins: () => ({ container: "CONTAINER" }),
  change: (engine, { containers, force }, options) =>
    changeEach(containers, (container) => engine.remove(container, { ...options, force })),
  show: (removed) => removed.map(({ name }) => `${name}\n`).join(""),
})
