// The files that aardvark-dns reads, one a network: a line with where to listen (and whom to ask), then a line a
// container. Fields are parted by one space, and an empty field stays.

import { family, parseIp } from "#inet/ip.ts"

export interface Entry {
  readonly containerId: string
  readonly addresses: readonly string[]
  readonly names: readonly string[]
  /** The container's own DNS servers. */
  readonly servers: readonly string[]
}

export function headerLine(listen: readonly string[], servers: readonly string[]): string {
  return `${listen.join(",")}${servers.length === 0 ? "" : ` ${servers.join(",")}`}\n`
}

export function entryLine({ containerId, addresses, names, servers }: Entry): string {
  const of = (wanted: 4 | 6): string =>
    addresses
      .filter((text) => {
        const ip = parseIp(text)
        return ip !== undefined && family(ip) === wanted
      })
      .join(",")
  return `${containerId} ${of(4)} ${of(6)} ${names.join(",")}${servers.length === 0 ? "" : ` ${servers.join(",")}`}\n`
}

/** A name that would break the line cannot be looked up either. */
export function isEntryName(name: string): boolean {
  return name !== "" && !/[\s,]/.test(name)
}

/** @param text of the file; undefined when there is none. An entry of the container that is there is replaced. */
export function withEntry(text: string | undefined, header: string, entry: Entry): string {
  const lines = text === undefined ? [header] : linesOf(text)
  return [...lines.filter((line, index) => index === 0 || idOf(line) !== entry.containerId), entryLine(entry)].join("")
}

/** Undefined when no container is left. */
export function withoutEntry(text: string, containerId: string): string | undefined {
  const kept = linesOf(text).filter((line, index) => index === 0 || idOf(line) !== containerId)
  return kept.length > 1 ? kept.join("") : undefined
}

/** Other servers to ask, in the header. */
export function withServers(text: string, servers: readonly string[]): string {
  const [header = "", ...entries] = linesOf(text)
  const [listen = ""] = header.trimEnd().split(" ")
  return [headerLine(listen.split(","), servers), ...entries].join("")
}

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => `${line}\n`)
}

function idOf(line: string): string {
  return line.slice(0, line.indexOf(" "))
}
