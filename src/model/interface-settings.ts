// What may be set on a container's interface beside its addresses: what the CNI tuning plugin sets.

import type { Mac } from "#inet/mac.ts"
import { type Field, integerFrom, optional, presentOnly, readBoolean, readObject, refuse } from "./field.ts"
import { readMtu } from "./validate-network.ts"

export interface InterfaceSettings {
  /** Takes in all frames, or all multicast ones. */
  readonly promisc?: boolean
  readonly allmulti?: boolean
  readonly mtu?: number
  /** Of packets. */
  readonly txQueueLength?: number
  /** Of an interface that somebody else made; others are made with theirs. */
  readonly mac?: Mac
  /** By key below net/, as "ipv4/conf/IFNAME/arp_filter", where IFNAME stands for the interface's name. */
  readonly sysctls?: Readonly<Record<string, string>>
}

export interface InterfaceSettingsRequest extends Omit<InterfaceSettings, "sysctls" | "mac"> {
  /** As sysctl(8) takes them: "net.core.somaxconn", "net/ipv4/conf/IFNAME/arp_filter". */
  readonly sysctls?: Readonly<Record<string, string>>
}

/** What there was before, to be put back where the interface or its namespace stays. */
export interface SettingsBefore {
  readonly link?: Omit<InterfaceSettings, "sysctls">
  readonly sysctls?: Readonly<Record<string, string>>
}

const FIELDS = { promisc: true, allmulti: true, mtu: true, txQueueLength: true, sysctls: true } satisfies Record<
  keyof InterfaceSettingsRequest,
  true
>

/** The field is one of 32 bits, and what is above the largest int is refused (dev_change_tx_queue_len()). */
const readQueueLength = integerFrom(0, 2 ** 31 - 1)

export function readInterfaceSettings(field: Field): InterfaceSettings | undefined {
  const fields = readObject(field, FIELDS)
  return (
    fields &&
    presentOnly({
      promisc: optional(fields.promisc, readBoolean),
      allmulti: optional(fields.allmulti, readBoolean),
      mtu: optional(fields.mtu, readMtu),
      txQueueLength: optional(fields.txQueueLength, readQueueLength),
      sysctls: optional(fields.sysctls, readSysctls),
    })
  )
}

function readSysctls(field: Field): Readonly<Record<string, string>> | undefined {
  if (typeof field.value !== "object" || field.value === null || Array.isArray(field.value)) {
    return refuse(field, "must be an object of texts")
  }
  const settings: Record<string, string> = {}
  for (const [key, value] of Object.entries(field.value)) {
    const path = sysctlPath(key)
    if (path === undefined) {
      refuse(field, `has ${JSON.stringify(key)}, which is no setting below net`)
    } else if (typeof value !== "string" || /[\n\0]/.test(value)) {
      refuse(field, `has no text of one line for ${JSON.stringify(key)}`)
    } else {
      settings[path] = value
    }
  }
  return settings
}

/** Below net/: a key with slashes may have dots in its parts, as a VLAN interface's name has. */
function sysctlPath(key: string): string | undefined {
  const parts = key.includes("/") ? key.split("/") : key.split(".")
  const [first, ...rest] = parts
  const isPath = rest.length > 0 && rest.every((part) => /^[A-Za-z0-9_.-]+$/.test(part) && !/^\.+$/.test(part))
  return first === "net" && isPath ? rest.join("/") : undefined
}

const IFNAME = "IFNAME"

export function isOfInterface(key: string): boolean {
  return key.split("/").includes(IFNAME)
}

export function withIfname(key: string, ifname: string): string {
  return key
    .split("/")
    .map((part) => (part === IFNAME ? ifname : part))
    .join("/")
}
