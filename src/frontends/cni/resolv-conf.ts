// "resolvConf" of host-local: a file of resolv.conf(5) whose servers the containers are to have.

import { readFileSync } from "node:fs"
import { CniError, CODES } from "./cni-error.ts"
import { type Folded, get, text } from "./fold.ts"
import type { ResultDns } from "./result.ts"

export function resolvConf(ipam: Folded): ResultDns {
  const path = text(get(ipam, "resolvConf", "ipam"))
  if (path === undefined) {
    return {}
  }
  const lines = read(path)
    .split("\n")
    .map((line) =>
      line
        .replace(/[#;].*/, "")
        .trim()
        .split(/\s+/),
    )
  const words = (key: string): string[] => lines.flatMap(([first, ...rest]) => (first === key ? rest : []))
  const [nameservers, search, options] = [words("nameserver"), words("search"), words("options")]
  const domain = words("domain")[0]
  return {
    ...(nameservers.length === 0 ? {} : { nameservers }),
    ...(domain === undefined ? {} : { domain }),
    ...(search.length === 0 ? {} : { search }),
    ...(options.length === 0 ? {} : { options }),
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

function unreadable(path: string, cause: unknown): CniError {
  const message = `Cannot read "ipam.resolvConf" ${path}: ${(cause as Error).message}`
  return new CniError(CODES.invalidConfig, message, { cause })
}
