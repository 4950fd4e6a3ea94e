// `linkspan cni …`: what people do with the plugin, beside the runtimes that call it.

import { parseArgs } from "node:util"
import { CniError, CODES, toCniError } from "./cni-error.ts"

export interface CommandWorld {
  /** The executable; undefined when this runs from a checkout. */
  readonly program: string | undefined
  readInput(): Promise<string>
  out(text: string): Promise<void>
  err(text: string): Promise<void>
}

const USAGE = `Usage:
  linkspan cni convert < OLD.conflist     a list of reference plugins, for linkspan; what changed is told on standard error
  linkspan cni install [--conf FILE] [--bin-dir DIR] [--conf-dir DIR]
                                          the executable and a list of plugins, where runtimes look
  linkspan cni uninstall [--bin-dir DIR] [--conf-dir DIR]
`

const WRONG_USAGE = 2
const OPTIONS = { conf: { type: "string" }, "bin-dir": { type: "string" }, "conf-dir": { type: "string" } } as const

export async function runCniCommand(args: readonly string[], world: CommandWorld): Promise<number> {
  const [verb, ...rest] = args
  try {
    switch (verb) {
      case "convert": {
        const { convert } = await import("./convert.ts")
        const { list, notes } = convert(await world.readInput())
        await world.err(notes.map((note) => `${note}\n`).join(""))
        await world.out(`${JSON.stringify(list, null, 2)}\n`)
        return 0
      }
      case "install":
      case "uninstall":
        return await place(verb, rest, world)
      case "help":
      case "--help":
        await world.out(USAGE)
        return 0
      default:
        await world.err(USAGE)
        return WRONG_USAGE
    }
  } catch (error) {
    const { message, details } = toCniError(error)
    await world.err(`Error: ${message}\n${details === undefined ? "" : `Hint: ${details}\n`}`)
    return 1
  }
}

async function place(verb: "install" | "uninstall", args: readonly string[], world: CommandWorld): Promise<number> {
  const { DEFAULT_PLACES, install, uninstall } = await import("./install.ts")
  let values: { conf?: string; "bin-dir"?: string; "conf-dir"?: string }
  try {
    values = parseArgs({ args: [...args], options: OPTIONS }).values
  } catch (error) {
    await world.err(`Error: ${(error as Error).message}\n${USAGE}`)
    return WRONG_USAGE
  }
  const { "bin-dir": binDir = DEFAULT_PLACES.binDir, "conf-dir": confDir = DEFAULT_PLACES.confDir, conf } = values
  const places = { binDir, confDir }
  if (verb === "install" && world.program === undefined) {
    throw new CniError(CODES.invalidConfig, "Cannot install: this runs from a checkout", {
      details: "Build the executable with: npm run build",
    })
  }
  const paths =
    world.program !== undefined && verb === "install" ? install(world.program, places, conf) : uninstall(places)
  await world.out(paths.map((path) => `${path}\n`).join(""))
  return 0
}
