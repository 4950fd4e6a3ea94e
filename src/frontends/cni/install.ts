// Puts the plugin and a list of plugins where runtimes look. Each comes by being renamed, so nobody sees half of it, and
// the list last: a runtime takes the network for ready when it is there.

import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { CniError, CODES } from "./cni-error.ts"
import { isObject } from "./fold.ts"

export interface Places {
  readonly binDir: string
  readonly confDir: string
}

export const DEFAULT_PLACES: Places = { binDir: "/opt/cni/bin", confDir: "/etc/cni/net.d" }

/** Before other people's lists in the order of names: runtimes take the first. */
const CONFLIST = "05-linkspan.conflist"
const PROGRAM = "linkspan"
/** The same executable, as the plugin that gives the addresses under another plugin. */
const IPAM = "linkspan-ipam"

const DEFAULT_LIST = {
  cniVersion: "1.0.0",
  cniVersions: ["0.4.0", "1.0.0", "1.1.0"],
  name: "linkspan",
  plugins: [
    {
      type: "linkspan",
      capabilities: {
        portMappings: true,
        bandwidth: true,
        ips: true,
        ipRanges: true,
        mac: true,
        aliases: true,
        dns: true,
      },
    },
  ],
}

/**
 * @param program the executable that is copied.
 * @param list a file with the list; linkspan's own choice when absent.
 * @returns the paths that were written.
 */
export function install(program: string, places: Places, list?: string): string[] {
  const text = list === undefined ? `${JSON.stringify(DEFAULT_LIST, null, 2)}\n` : readFileSync(list, "utf8")
  refuseOther(text, list)
  mkdirSync(places.binDir, { recursive: true })
  mkdirSync(places.confDir, { recursive: true })
  const [binary, ipam, conflist] = targets(places)
  atOnce(binary, (path) => {
    copyFileSync(program, path, constants.COPYFILE_FICLONE)
    chmodSync(path, 0o755)
  })
  atOnce(ipam, (path) => symlinkSync(PROGRAM, path))
  atOnce(conflist, (path) => writeFileSync(path, text, { mode: 0o644 }))
  return [binary, ipam, conflist]
}

/** The list first: nobody shall call what is gone. @returns the paths that were there. */
export function uninstall(places: Places): string[] {
  const [binary, ipam, conflist] = targets(places)
  const present = [conflist, ipam, binary].filter((path) => existsSync(path))
  for (const path of present) {
    rmSync(path)
  }
  return present
}

function targets({ binDir, confDir }: Places): readonly [string, string, string] {
  return [`${binDir}/${PROGRAM}`, `${binDir}/${IPAM}`, `${confDir}/${CONFLIST}`]
}

function atOnce(path: string, write: (path: string) => void): void {
  // Runtimes look at names that end in .conf, .conflist and .json alone.
  const draft = `${path}.${process.pid}.new`
  try {
    write(draft)
    renameSync(draft, path)
  } finally {
    rmSync(draft, { force: true })
  }
}

function refuseOther(text: string, from: string | undefined): void {
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch {
    list = undefined
  }
  const plugins: unknown = isObject(list) ? list["plugins"] : undefined
  if (!Array.isArray(plugins) || !plugins.some((plugin) => isObject(plugin) && plugin["type"] === PROGRAM)) {
    throw new CniError(
      CODES.invalidConfig,
      `Cannot install "${from}": it is no list of plugins with one of type "linkspan"`,
    )
  }
}
