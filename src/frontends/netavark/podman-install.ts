// Puts linkspan in netavark's and aardvark-dns' place, and takes it away again. Nothing that is not linkspan's is
// written over or removed; all of what stands in the way is told at once, before anything is done.

import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { NetavarkError } from "./error.ts"
import {
  DROP_IN,
  dropInText,
  helperDirectories,
  isOwnDropIn,
  isOwnLink,
  type Places,
  PROGRAMS,
} from "./podman-places.ts"

/** "wrote PATH", "unchanged PATH", "removed PATH". */
export type Report = readonly string[]

/** @param program the executable. @throws NetavarkError when something of somebody else's is there */
export function install(program: string, places: Places): Report {
  refuseForeign("install", places)
  mkdirSync(places.binDir, { recursive: true })
  mkdirSync(places.confDir, { recursive: true })
  // The links first: the drop-in is what Podman goes by.
  const links = PROGRAMS.map((name) => {
    const path = `${places.binDir}/${name}`
    if (isThere(path) && readlinkSync(path) === program) {
      return `unchanged ${path}`
    }
    atOnce(path, (draft) => symlinkSync(program, draft))
    return `wrote ${path}, a link to ${program}`
  })
  const path = `${places.confDir}/${DROP_IN}`
  const others = helperDirectories(places, { withOwn: false }).filter((directory) => directory !== places.binDir)
  const text = dropInText([places.binDir, ...others])
  if (existsSync(path) && readFileSync(path, "utf8") === text) {
    return [...links, `unchanged ${path}`]
  }
  atOnce(path, (draft) => writeFileSync(draft, text, { mode: 0o644 }))
  return [...links, `wrote ${path}`]
}

/** The drop-in first: nobody shall be led to what is gone. @throws NetavarkError */
export function uninstall(places: Places): Report {
  refuseForeign("uninstall", places)
  const removed = ownPaths(places)
    .toReversed()
    .filter(isThere)
    .map((path) => {
      rmSync(path)
      return `removed ${path}`
    })
  try {
    rmdirSync(places.binDir)
  } catch {
    // Not there, or not empty: then it is somebody else's as well.
  }
  return removed
}

function ownPaths({ binDir, confDir }: Places): string[] {
  return [...PROGRAMS.map((name) => `${binDir}/${name}`), `${confDir}/${DROP_IN}`]
}

function refuseForeign(verb: string, places: Places): void {
  const foreign = ownPaths(places).filter(
    (path) => isThere(path) && !(path.endsWith(DROP_IN) ? isOwnDropIn(path) : isOwnLink(path)),
  )
  if (foreign.length > 0) {
    throw new NetavarkError(`Cannot ${verb}: not linkspan's, and so left as it is: ${foreign.join(", ")}`)
  }
}

/** Also a link that leads nowhere. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

function atOnce(path: string, write: (draft: string) => void): void {
  const draft = `${path}.${process.pid}.new`
  try {
    write(draft)
    renameSync(draft, path)
  } finally {
    rmSync(draft, { force: true })
  }
}
