// Where Podman looks for its network programs, and what linkspan puts there: two links to the executable in a directory
// of their own, and a drop-in that names this directory before all others. containers.conf(5), "helper_binaries_dir".

import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync } from "node:fs"
import { basename } from "node:path"

export const PROGRAMS = ["netavark", "aardvark-dns"] as const
export type Program = (typeof PROGRAMS)[number]

export interface Places {
  /** containers.conf.d */
  readonly confDir: string
  /** Of the links. */
  readonly binDir: string
  /** Files and directories with settings, later ones win; confDir may be among them. */
  readonly settings: readonly string[]
}

export const DROP_IN = "90-linkspan.conf"
export const MARK = "# Written by: linkspan podman install (and removed by: linkspan podman uninstall)"

/** What Podman 4, 5 and 6 look through when nothing is set. */
const DEFAULT_DIRECTORIES = [
  "/usr/local/libexec/podman",
  "/usr/local/lib/podman",
  "/usr/libexec/podman",
  "/usr/lib/podman",
]

export function defaultPlaces(env: Readonly<Record<string, string | undefined>>, user: boolean): Places {
  const machine = [
    "/usr/share/containers/containers.conf",
    "/etc/containers/containers.conf",
    "/etc/containers/containers.conf.d",
  ]
  if (!user) {
    return { confDir: "/etc/containers/containers.conf.d", binDir: "/usr/local/libexec/linkspan", settings: machine }
  }
  const home = env["HOME"] ?? "/root"
  const config = `${env["XDG_CONFIG_HOME"] ?? `${home}/.config`}/containers`
  return {
    confDir: `${config}/containers.conf.d`,
    binDir: `${env["XDG_DATA_HOME"] ?? `${home}/.local/share`}/linkspan/podman`,
    settings: [...machine, `${config}/containers.conf`, `${config}/containers.conf.d`],
  }
}

/** The directories that Podman searches, with linkspan's drop-in or as if it were not there. */
export function helperDirectories({ settings, confDir }: Places, options: { readonly withOwn: boolean }): string[] {
  const files = settings.flatMap((path) =>
    path.endsWith(".d")
      ? entriesOf(path)
          .filter((name) => name.endsWith(".conf"))
          .sort()
          .map((name) => `${path}/${name}`)
      : [path],
  )
  const own = `${confDir}/${DROP_IN}`
  const found = files.filter((path) => options.withOwn || path !== own).flatMap((path) => settingIn(path) ?? [])
  return found.at(-1)?.directories ?? DEFAULT_DIRECTORIES
}

function entriesOf(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : []
}

/** Absent where the file says nothing of it. A file that is wrong is Podman's to complain about. */
function settingIn(path: string): { readonly directories: string[] } | undefined {
  if (!existsSync(path)) {
    return undefined
  }
  try {
    const { engine } = Bun.TOML.parse(readFileSync(path, "utf8")) as { engine?: { helper_binaries_dir?: unknown } }
    const directories = engine?.helper_binaries_dir
    return Array.isArray(directories)
      ? { directories: directories.filter((each): each is string => typeof each === "string") }
      : undefined
  } catch {
    return undefined
  }
}

export function dropInText(directories: readonly string[]): string {
  return `${MARK}\n[engine]\nhelper_binaries_dir = ${JSON.stringify(directories)}\n`
}

/** The program that Podman would call by that name. */
export function findProgram(name: Program, directories: readonly string[]): string | undefined {
  return directories.map((directory) => `${directory}/${name}`).find((path) => existsSync(path))
}

/** A link that leads to linkspan, wherever that is or was. */
export function isOwnLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true && leadsToLinkspan(path)
}

function leadsToLinkspan(path: string): boolean {
  const { readlinkSync } = process.getBuiltinModule("node:fs")
  return basename(readlinkSync(path)) === "linkspan"
}

export function isLinkspan(path: string, program: string | undefined): boolean {
  const real = realpathSync(path)
  return basename(real) === "linkspan" || (program !== undefined && real === realpathSync(program))
}

export function isOwnDropIn(path: string): boolean {
  return readFileSync(path, "utf8").startsWith(MARK)
}
