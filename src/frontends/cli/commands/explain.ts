import { query } from "../command.ts"
import { readTarget } from "../parts/target.ts"
import { text } from "../value.ts"

const UNREACHABLE = 4

export const command = query({
  summary: "Explain whether one place reaches another, and what stops it",
  description: [
    "FROM and TO are containers, aliases, addresses, or one of the words host, outside (beyond the host) and internet. With a port, also whether anything listens there.",
    "Every place that a packet would pass is shown with the kernel's own names, read in this moment; the one that stops it is marked, with what to type next. Exit status: 0 reachable, 4 not. docs/explain.md lists the causes.",
  ],
  positionals: {
    from: { kind: "required", value: text("FROM", "container") },
    to: { kind: "required", value: text("TO[:PORT[/PROTOCOL]]", "container") },
  },
  options: {
    ipv4: { kind: "flag", short: "4", about: "Speak of IPv4 only" },
    ipv6: { kind: "flag", short: "6", about: "Speak of IPv6 only" },
    probe: {
      kind: "flag",
      negatable: true,
      about:
        "Whether to send a real packet too, where TO has a port: one connection or one empty datagram (the default)",
    },
  },
  examples: [
    { line: "linkspan explain web db:5432", about: "From one container to another's port" },
    { line: "linkspan explain outside host:8080", about: "Whether a published port can be reached" },
    { line: "linkspan explain -6 web internet -o json", about: "Over IPv6, for machines" },
  ],
  request({ positionals, options }, refuse) {
    const target = positionals.to === "" ? undefined : readTarget(positionals.to, (why) => refuse("TO", why))
    if (options.ipv4 === true && options.ipv6 === true) {
      refuse("--ipv6", "cannot be given together with --ipv4")
    }
    return {
      from: positionals.from,
      ...(target ?? { to: positionals.to }),
      ...(options.probe === undefined ? {} : { probe: options.probe }),
      ...(options.ipv4 === true ? { family: 4 as const } : options.ipv6 === true ? { family: 6 as const } : {}),
    }
  },
  origins: () => ({ from: "FROM", to: "TO", port: "TO", protocol: "TO" }),
  ask: (engine, request) => engine.explain(request),
  status: ({ reachable }) => (reachable ? 0 : UNREACHABLE),
  async show(explanation, look) {
    const { explanationText } = await import("../print/explanation.ts")
    return explanationText(explanation, look)
  },
})
