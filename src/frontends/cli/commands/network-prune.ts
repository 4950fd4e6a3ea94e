import { change } from "../command.ts"
import { text } from "../value.ts"

export const command = change({
  summary: "Remove every network that has no containers",
  description: ["Nothing is asked; --dry-run shows beforehand what would go."],
  positionals: {},
  options: {
    label: { kind: "many", short: "l", value: text("KEY[=VALUE]"), about: "Only networks that carry this label" },
    force: { kind: "flag", short: "f", about: "Understood for the sake of habit: nothing is asked anyway" },
  },
  examples: [
    { line: "linkspan network prune --dry-run", about: "See what would go" },
    { line: "linkspan network prune --label ci", about: "Only what CI left behind" },
  ],
  request: ({ options }) => ({ labels: options.label }),
  origins: () => ({ labels: "--label" }),
  change: (engine, { labels }, options) =>
    engine.networks.prune({ ...options, ...(labels.length === 0 ? {} : { labels }) }),
  show: (removed) => removed.map(({ name }) => `${name}\n`).join(""),
})
