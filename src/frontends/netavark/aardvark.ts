// aardvark-dns beside us: its files, told by a signal that they have changed, started when it is not there. Files are
// replaced, never written in place, so that it cannot read half of one; one lock keeps two of us apart.

import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { withFileLock } from "#engine/file-lock.ts"
import { type Entry, headerLine, withEntry, withoutEntry, withServers } from "./aardvark-file.ts"
import { dnsPort } from "./dns-port.ts"
import { NetavarkError } from "./error.ts"

export interface Aardvark {
  /** Podman's run directory for networks. */
  readonly config: string
  /** Absent: there is none, and names are not answered. */
  readonly binary?: string
  readonly rootless: boolean
  /** The environment that it is started with. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/** What one network's file gets. */
export interface Commit {
  readonly network: string
  readonly internal: boolean
  readonly listen: readonly string[]
  readonly servers: readonly string[]
  readonly entry: Entry
}

const INTERNAL = "%int"

/** Adds entries, then sees to it that they are answered. @throws NetavarkError with what aardvark-dns said */
export function commitEntries(aardvark: Aardvark, commits: readonly Commit[]): void {
  if (commits.length === 0 || !isThere(aardvark.binary)) {
    return
  }
  mkdirSync(directoryOf(aardvark), { recursive: true })
  withFileLock(lockOf(aardvark), () => {
    for (const { network, internal, listen, servers, entry } of commits) {
      const path = fileOf(aardvark, network, internal)
      replace(path, withEntry(read(path), headerLine(listen, servers), entry))
    }
    if (!signal(aardvark)) {
      start(aardvark)
    }
  })
}

/** @param networks whose files may hold the container. */
export function deleteEntries(aardvark: Aardvark, containerId: string, networks: readonly string[]): void {
  if (!isThere(directoryOf(aardvark))) {
    return
  }
  withFileLock(lockOf(aardvark), () => {
    let changed = false
    for (const path of networks.flatMap((network) =>
      [false, true].map((internal) => fileOf(aardvark, network, internal)),
    )) {
      const text = read(path)
      const next = text === undefined ? undefined : withoutEntry(text, containerId)
      if (text === undefined || next === text) {
        continue
      }
      changed = true
      if (next === undefined) {
        rmSync(path)
      } else {
        replace(path, next)
      }
    }
    if (changed) {
      signal(aardvark)
    }
  })
}

/** Other servers for a network's containers to be asked; of those that are running. */
export function changeServers(aardvark: Aardvark, network: string, servers: readonly string[]): void {
  if (!isThere(directoryOf(aardvark))) {
    return
  }
  withFileLock(lockOf(aardvark), () => {
    for (const path of [false, true].map((internal) => fileOf(aardvark, network, internal))) {
      const text = read(path)
      if (text !== undefined) {
        replace(path, withServers(text, servers))
      }
    }
    signal(aardvark)
  })
}

function directoryOf({ config }: Aardvark): string {
  return `${config}/aardvark-dns`
}

function lockOf({ config }: Aardvark): string {
  return `${config}/aardvark.lock`
}

function fileOf(aardvark: Aardvark, network: string, internal: boolean): string {
  if (network === "" || network.startsWith(".") || /[/\0]/.test(network)) {
    throw new NetavarkError(`invalid network name ${JSON.stringify(network)}`)
  }
  return `${directoryOf(aardvark)}/${network}${internal ? INTERNAL : ""}`
}

function isThere(path: string | undefined): boolean {
  return path !== undefined && statSync(path, { throwIfNoEntry: false }) !== undefined
}

function read(path: string): string | undefined {
  return isThere(path) ? readFileSync(path, "utf8") : undefined
}

/** Hidden from aardvark-dns until it is whole: it reads every file of its directory. */
function replace(path: string, text: string): void {
  const slash = path.lastIndexOf("/")
  const draft = `${path.slice(0, slash)}/../.aardvark-${path.slice(slash + 1)}`
  writeFileSync(draft, text)
  renameSync(draft, path)
}

/** Tells the running one to read again; false when none runs. */
function signal(aardvark: Aardvark): boolean {
  const text = read(`${directoryOf(aardvark)}/aardvark.pid`)
  const pid = Number(text)
  if (text === undefined || !Number.isInteger(pid) || pid <= 1) {
    return false
  }
  try {
    process.kill(pid, "SIGHUP")
    return true
  } catch {
    return false // ESRCH: it has ended without taking its file away.
  }
}

function start(aardvark: Aardvark): void {
  const { binary, env, rootless } = aardvark
  const command = [binary as string, "--config", directoryOf(aardvark), "-p", String(dnsPort(env)), "run"]
  // A scope of its own, or systemd would end it with the unit of the container that came first.
  const scope = systemdRun(env)
  const wrapped = scope === undefined ? command : [scope, "-q", "--scope", ...(rootless ? ["--user"] : []), ...command]
  const { exitCode, stderr, signalCode } = Bun.spawnSync(wrapped, {
    env: { ...env, RUST_LOG: env["RUST_LOG"]?.replace(/^netavark=/, "").toUpperCase() ?? "WARN" },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  })
  if (exitCode !== 0) {
    const said = stderr.toString().trim()
    throw new NetavarkError(
      `error while applying dns entries: ${said === "" ? `aardvark-dns exited unexpectedly without error message${signalCode === undefined ? "" : ` (${signalCode})`}` : `aardvark-dns failed to start: ${said}`}`,
    )
  }
}

function systemdRun(env: Aardvark["env"]): string | undefined {
  return isThere("/run/systemd/system")
    ? (env["PATH"] ?? "/usr/bin:/bin")
        .split(":")
        .map((directory) => `${directory}/systemd-run`)
        .find(isThere)
    : undefined
}
