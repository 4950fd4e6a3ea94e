// `linkspan podman …`: has Podman call linkspan for its networks, or its own programs again, and says which it is.

import { existsSync, readFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { NetavarkError } from "./error.ts"
import { install, uninstall } from "./podman-install.ts"
import { defaultPlaces, findProgram, helperDirectories, isLinkspan, type Places, PROGRAMS } from "./podman-places.ts"

export interface CommandWorld {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The executable; undefined when this runs from a checkout. */
  readonly program: string | undefined
  readonly uid: number
  out(text: string): Promise<void>
  err(text: string): Promise<void>
}

const USAGE = `Usage:
  linkspan podman install      has Podman call linkspan for its networks and names
  linkspan podman uninstall    has it call its own programs again
  linkspan podman status       says which programs it calls; exit status 0 when they are linkspan

Options:
  --user            for this user's Podman alone (what everybody but root gets anyway)
  --conf-dir DIR    instead of /etc/containers/containers.conf.d
  --bin-dir DIR     instead of /usr/local/libexec/linkspan
`

const WRONG_USAGE = 2
const OPTIONS = { user: { type: "boolean" }, "conf-dir": { type: "string" }, "bin-dir": { type: "string" } } as const

export async function runPodmanCommand(args: readonly string[], world: CommandWorld): Promise<number> {
  const [verb, ...rest] = args
  if (verb === "help" || verb === "--help") {
    await world.out(USAGE)
    return 0
  }
  if (verb !== "install" && verb !== "uninstall" && verb !== "status") {
    await world.err(USAGE)
    return WRONG_USAGE
  }
  const places = placesOf(rest, world)
  if (typeof places === "string") {
    await world.err(`Error: ${places}\n${USAGE}`)
    return WRONG_USAGE
  }
  try {
    if (verb === "status") {
      return await tellStatus(places, world)
    }
    if (verb === "install" && world.program === undefined) {
      throw new NetavarkError("Cannot install: this runs from a checkout; build the executable with: npm run build")
    }
    const report =
      verb === "install" && world.program !== undefined ? install(world.program, places) : uninstall(places)
    const changed = report.some((line) => !line.startsWith("unchanged"))
    const note = changed
      ? "Containers that run now keep what they have until they are started again.\n"
      : report.length === 0
        ? "There was nothing to remove.\n"
        : ""
    await world.out(`${report.map((line) => `${line}\n`).join("")}${note}`)
    return 0
  } catch (error) {
    await world.err(`Error: ${(error as Error).message}\n`)
    return 1
  }
}

/** A text says what is wrong. */
function placesOf(args: readonly string[], { env, uid }: CommandWorld): Places | string {
  try {
    const { values } = parseArgs({ args: [...args], options: OPTIONS })
    const places = defaultPlaces(env, values.user === true || uid !== 0)
    const confDir = values["conf-dir"] ?? places.confDir
    return {
      confDir,
      binDir: values["bin-dir"] ?? places.binDir,
      settings: [...places.settings.filter((path) => path !== confDir), confDir],
    }
  } catch (error) {
    return (error as Error).message
  }
}

/** Where Podman remembers which kind of networks a host has, when nobody has said it. */
const BACKEND_FILE = "/var/lib/containers/storage/defaultNetworkBackend"

async function tellStatus(places: Places, { env, program, out }: CommandWorld): Promise<number> {
  const variable = env["CONTAINERS_HELPER_BINARY_DIR"]
  const directories = [...(variable === undefined ? [] : [variable]), ...helperDirectories(places, { withOwn: true })]
  const found = PROGRAMS.map((name) => ({ name, path: findProgram(name, directories) }))
  const lines = found.map(({ name, path }) =>
    path === undefined
      ? `${name}: none in ${directories.join(", ")}`
      : `${name}: ${path}${isLinkspan(path, program) ? " (linkspan)" : ""}`,
  )
  const backend = existsSync(BACKEND_FILE) ? readFileSync(BACKEND_FILE, "utf8").trim() : ""
  if (backend === "cni") {
    lines.push(
      'Podman uses CNI here, and calls neither: set network_backend = "netavark" in section [network] of containers.conf',
    )
  }
  await out(lines.map((line) => `${line}\n`).join(""))
  return found.every(({ path }) => path !== undefined && isLinkspan(path, program)) && backend !== "cni" ? 0 : 1
}
