// What the reference's tuning plugin sets on an interface, as keys of linkspan's entry or args.cni.

import { existsSync, readFileSync } from "node:fs"
import type { InterfaceSettingsRequest } from "#model/interface-settings.ts"
import { CniError, CODES } from "./cni-error.ts"
import { count, type Folded, flag, fold, get, text } from "./fold.ts"
import type { Config } from "./request.ts"

/** Regular expressions, one a line: no other setting may be made where the file is there. */
const ALLOWLIST = "/etc/cni/tuning/allowlist.conf"

/** @param isChained the MTU is that of the interface alone; of linkspan's own networks it is the network's. */
export function wantedSettings(
  { keys, args }: Config,
  { isChained, allowlist = ALLOWLIST }: { readonly isChained: boolean; readonly allowlist?: string },
): { readonly settings?: InterfaceSettingsRequest } {
  const pick = <T>(key: string, read: (found: ReturnType<typeof get>) => T | undefined): T | undefined =>
    read(get(args, key, "args.cni")) ?? read(get(keys, key))
  const promisc = pick("promisc", flag)
  const allmulti = pick("allmulti", flag)
  const mtu = isChained ? pick("mtu", count) : undefined
  const txQueueLength = pick("txQLen", (found) => (found.value === 0 ? 0 : count(found)))
  const sysctls = { ...readSysctls(keys, ""), ...readSysctls(args, "args.cni") }
  refuseForbidden(Object.keys(sysctls), allowlist)
  const settings = {
    ...(promisc === true ? { promisc } : {}),
    ...(allmulti === true ? { allmulti } : {}),
    ...(mtu === undefined ? {} : { mtu }),
    ...(txQueueLength === undefined ? {} : { txQueueLength }),
    ...(Object.keys(sysctls).length === 0 ? {} : { sysctls }),
  }
  return Object.keys(settings).length === 0 ? {} : { settings }
}

/** The names of settings are case sensitive, unlike the key that they stand in. */
function readSysctls(keys: Folded, parent: string): Record<string, string> {
  const found = get(keys, "sysctl", parent)
  fold(found)
  return Object.fromEntries(
    Object.entries((found.value ?? {}) as object).map(([key, value]) => [
      key,
      text({ value, path: `${found.path}.${key}` }) ?? "",
    ]),
  )
}

function refuseForbidden(names: readonly string[], allowlist: string): void {
  if (names.length === 0 || !existsSync(allowlist)) {
    return
  }
  const allowed = readFileSync(allowlist, "utf8")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => new RegExp(line))
  const forbidden = names.find((name) => !allowed.some((expression) => expression.test(name)))
  if (forbidden !== undefined) {
    throw new CniError(CODES.invalidConfig, `Cannot set "${forbidden}": ${allowlist} does not allow it`, {
      details: "Add a regular expression that matches it there",
    })
  }
}
