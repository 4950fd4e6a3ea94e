// The name servers that the host itself asks, and word of it when they change: a laptop that comes to another network.

import { readFileSync, realpathSync } from "node:fs"
import { basename, dirname } from "node:path"
import { type Ip, isLoopback, parseIp } from "#inet/ip.ts"
import { watchDirectory } from "#kernel/directory-watch.ts"

/** systemd-resolved's upstreams; resolv.conf then names only its own stub (systemd-resolved(8), "/etc/resolv.conf"). */
const RESOLVED = "/run/systemd/resolve/resolv.conf"
const RESOLV_CONF = "/etc/resolv.conf"

export interface UpstreamFiles {
  readonly resolvConf: string
  readonly resolved: string
}

export const UPSTREAM_FILES: UpstreamFiles = { resolvConf: RESOLV_CONF, resolved: RESOLVED }

/** Servers in their order. None at all means the one on this machine, as for libc (resolv.conf(5)). */
export function hostServers(files: UpstreamFiles = UPSTREAM_FILES): Ip[] {
  const own = serversIn(files.resolvConf)
  // A stub on this machine knows its upstreams better than anyone, but asking it costs a hop.
  const real = own.every(isLoopback) ? serversIn(files.resolved) : []
  const servers = real.length > 0 ? real : own
  return servers.length > 0 ? servers : [LOCAL]
}

const LOCAL = "127.0.0.1" as Ip

function serversIn(path: string): Ip[] {
  return readText(path)
    .split("\n")
    .flatMap((line) => {
      const [, address = ""] = /^\s*nameserver\s+(\S+)/.exec(line) ?? []
      return parseIp(address) ?? []
    })
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch {
    // No file, no servers.
    return ""
  }
}

/** Calls back whenever one of the files is written, replaced or removed. */
export function watchUpstreams(onChange: () => void, files: UpstreamFiles = UPSTREAM_FILES): Disposable {
  // Their directories, since files are replaced; a link's as well as what it leads to.
  const paths = [files.resolvConf, files.resolved].flatMap((path) => [path, realPath(path)])
  const watchers = [...new Set(paths)].flatMap((path): Disposable[] => {
    try {
      return [
        watchDirectory(dirname(path), (names) => {
          if (names.has("") || names.has(basename(path))) {
            onChange()
          }
        }),
      ]
    } catch {
      // There is no such directory on this host.
      return []
    }
  })
  return {
    [Symbol.dispose]: () => {
      for (const watcher of watchers) {
        watcher[Symbol.dispose]()
      }
    },
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
