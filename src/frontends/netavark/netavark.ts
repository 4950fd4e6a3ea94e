// The door that Podman knocks at: called as `netavark`, it sets containers up on the engine's networks. Standard output
// is one JSON value or nothing; Podman reads it when the program has ended, and refuses any key but `error` in a failure.
// https://github.com/containers/netavark

import { parseCommandLine, USAGE, UsageError } from "./command-line.ts"

/** What the door needs of its process. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
}

/** The netavark whose contract this is. */
const CONTRACT = "2.1.0"

export async function runNetavark(args: readonly string[], world: World): Promise<number> {
  if (args.includes("--version") || args.includes("-V")) {
    world.stdout(`netavark ${await version()}\n`)
    return 0
  }
  if (args.includes("--help") || args.includes("-h") || args[0] === "help") {
    world.stdout(USAGE)
    return 0
  }
  try {
    const line = parseCommandLine(args)
    if (line.verb === "version") {
      world.stdout(`${JSON.stringify(await versions(), undefined, 2)}\n`)
      return 0
    }
    const { runVerb } = await import("./verbs.ts")
    const answer = await runVerb(line, world)
    if (answer !== undefined) {
      world.stdout(`${JSON.stringify(answer)}\n`)
    }
    return 0
  } catch (error) {
    if (error instanceof UsageError) {
      world.stderr(`error: ${error.message}\n\n${USAGE}`)
      return 2
    }
    const { errorText } = await import("./error.ts")
    world.stdout(`${JSON.stringify({ error: errorText(error) })}\n`)
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
