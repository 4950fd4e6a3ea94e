import { query } from "../command.ts"
import { askEach } from "../each.ts"
import { integer, text } from "../value.ts"

// A query in form: the engine has no plan to show for a signal.
export const command = query({
  summary: "Stop containers that linkspan run started",
  description: ["SIGTERM first, then SIGKILL when the time is over. The JSON form is a list, one element a container."],
  positionals: { containers: { kind: "many", value: text("CONTAINER", "container") } },
  options: {
    timeout: {
      kind: "one",
      short: "t",
      aliases: ["time"],
      value: integer("SECONDS", { min: 0, max: 86_400 }),
      about: "How long to wait before SIGKILL (default 10)",
    },
    signal: {
      kind: "one",
      short: "s",
      value: text("SIGNAL"),
      about: "The first signal, by name or number (default SIGTERM)",
    },
  },
  examples: [
    { line: "linkspan stop api", about: "Ask, wait ten seconds, insist" },
    { line: "linkspan stop -t 0 api db", about: "Insist at once" },
  ],
  request: ({ positionals, options }) => ({
    containers: positionals.containers,
    options: {
      ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout * 1000 }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    },
  }),
  origins: () => ({ container: "CONTAINER", timeoutMs: "--timeout", signal: "--signal" }),
  ask: (engine, { containers, options }) => askEach(containers, (container) => engine.stop(container, options)),
  show: (stopped) => stopped.map(({ name }) => `${name}\n`).join(""),
  names: (stopped) => stopped.map(({ name }) => name),
})
