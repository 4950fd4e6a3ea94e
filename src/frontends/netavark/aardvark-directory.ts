// The directory that netavark keeps for aardvark-dns, read: a file a network (aardvark-file.ts), "%int" behind the name
// of an internal one. A line that is none is passed over, since other containers' names do not depend on it.

import { readdirSync, readFileSync } from "node:fs"
import type { Names } from "#engine/names/serve-directory.ts"
import { type Ip, parseIp } from "#inet/ip.ts"
import type { DirectoryContainer, DirectoryNetwork } from "#model/directory.ts"

export const INTERNAL = "%int"
export const PID_FILE = "aardvark.pid"

/** @param silent nobody else is asked about anything. */
export function readDirectory(path: string, silent: boolean): Names {
  const files = readdirSync(path)
    .filter((name) => name !== PID_FILE && !name.startsWith("."))
    .sort()
    .map((name) => parseFile(name, readText(`${path}/${name}`), silent))
  const containers = new Map<string, DirectoryContainer>()
  for (const { entries } of files) {
    for (const { id, servers } of entries) {
      const known = containers.get(id)?.servers ?? []
      containers.set(id, {
        id,
        name: id,
        servers: [...new Set([...known, ...servers])],
        search: [],
        records: [],
        links: [],
      })
    }
  }
  return {
    networks: files.map(({ network }) => network),
    containers: [...containers.values()],
    listening: files.flatMap(({ network, listen }) => listen.map((ip) => ({ network: network.id, ip }))),
  }
}

/** A file may go between its being listed and its being read. */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") {
      return ""
    }
    throw error
  }
}

interface FileContent {
  readonly network: DirectoryNetwork
  readonly listen: readonly Ip[]
  readonly entries: readonly { readonly id: string; readonly servers: readonly Ip[] }[]
}

function parseFile(fileName: string, text: string, silent: boolean): FileContent {
  const internal = fileName.endsWith(INTERNAL)
  const name = internal ? fileName.slice(0, -INTERNAL.length) : fileName
  const [header = "", ...lines] = text.split("\n")
  const [listen = "", servers = ""] = header.split(" ")
  const entries = lines.flatMap((line) => {
    const [id = "", four = "", six = "", names = "", own = ""] = line.trimEnd().split(" ")
    const addresses = [...ips(four), ...ips(six)]
    return id === "" || addresses.length === 0
      ? []
      : [{ id, addresses, names: names.split(",").filter((each) => each !== ""), servers: ips(own) }]
  })
  return {
    listen: ips(listen),
    entries,
    network: {
      id: fileName,
      name,
      // Not in the files: an address that nobody has is somebody else's.
      subnets: [],
      internal: internal || silent,
      servers: ips(servers),
      records: [],
      endpoints: entries.map(({ id, addresses, names }) => ({
        containerId: id,
        addresses,
        aliases: names,
        ...(names[0] === undefined ? {} : { pointer: names[0] }),
      })),
    },
  }
}

function ips(list: string): Ip[] {
  return list.split(",").flatMap((text) => parseIp(text) ?? [])
}
