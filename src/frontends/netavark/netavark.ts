// The door that Podman knocks at: called as `netavark`, it sets containers up on the engine's networks. Standard output
// is one JSON value or nothing; Podman reads it when the program has ended, and refuses any key but `error` in a failure.
// https://github.com/containers/netavark

import type { Surroundings } from "#engine/front-door.ts"
import { parseCommandLine, USAGE, UsageError } from "./command-line.ts"

/** The netavark whose contract this is. */
const CONTRACT = "2.1.0"

export async function runNetavark(args: readonly string[], world: Surroundings): Promise<number> {
  if (args.includes("--version") || args.includes("-V")) {
    await world.out(`netavark ${await version()}\n`)
    return 0
  }
  if (args.includes("--help") || args.includes("-h") || args[0] === "help") {
    await world.out(USAGE)
    return 0
  }
  try {
    const line = parseCommandLine(args)
    if (line.verb === "version") {
      await world.out(`${JSON.stringify(await versions(), undefined, 2)}\n`)
      return 0
    }
    const { runVerb } = await import("./verbs.ts")
    const answer = await runVerb(line, world)
    if (answer !== undefined) {
      await world.out(`${JSON.stringify(answer)}\n`)
    }
    return 0
  } catch (error) {
    if (error instanceof UsageError) {
      world.err(`error: ${error.message}\n\n${USAGE}`)
      return 2
    }
    const { errorText } = await import("./error.ts")
    await world.out(`${JSON.stringify({ error: errorText(error) })}\n`)
    return 1
  }
}

async function version(): Promise<string> {
  const { VERSION } = await import("#model/version.ts")
  return `${CONTRACT}+linkspan-${VERSION}`
}

async function versions(): Promise<Record<string, string>> {
  const target = `${process.arch === "x64" ? "x86_64" : process.arch === "arm64" ? "aarch64" : process.arch}-unknown-linux-gnu`
  return {
    version: await version(),
    commit: "",
    build_time: "",
    target,
    default_fw_driver: "nftables",
  }
}
