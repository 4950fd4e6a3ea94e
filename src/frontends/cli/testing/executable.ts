// The real command line in a real process, with the engine that only remembers: what can be seen from outside alone, such
// as pipes, signals and a shell's completion.

import { ownProcess } from "#frontends/own-process.ts"
import { runCli } from "../cli.ts"
import { processWorld } from "../process-world.ts"
import { type FakeOptions, fakeEngine, NETWORK_SUMMARY } from "./engine.ts"

const FAKES: Readonly<Record<string, FakeOptions>> = {
  verbose: { warnings: ["x".repeat(1_000_000)] },
  many: { networks: Array.from({ length: 20_000 }, (_, i) => ({ ...NETWORK_SUMMARY, name: `network-${i}` })) },
  failing: { failures: { "networks.remove": new Error("no") } },
  named: { networks: ["web", "web-2", "db"].map((name) => ({ ...NETWORK_SUMMARY, name })) },
}

const world = processWorld(
  { ...ownProcess(false), open: async () => fakeEngine(FAKES[Bun.env["LINKSPAN_TEST_FAKE"] ?? ""]) },
  {
    demo: async () => 0,
    services: () => [],
    ui: async () => ({ name: "page", address: "http://127.0.0.1:1/", [Symbol.asyncDispose]: async () => undefined }),
  },
)
void runCli(process.argv.slice(2), world).then((status) => process.exit(status))
