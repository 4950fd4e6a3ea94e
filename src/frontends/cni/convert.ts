// From a working list of the reference plugins to one for linkspan: what bridge, host-local, portmap and firewall do is
// done by one entry. Whatever linkspan does not do stays where it is, and each change is explained.

import { CniError, CODES } from "./cni-error.ts"
import { isObject } from "./fold.ts"

type Json = Readonly<Record<string, unknown>>

export interface Converted {
  readonly list: Json
  /** A sentence for each change, and for each thing that was left. */
  readonly notes: readonly string[]
}

/** Of a list, or of a single plugin's configuration as there were before 1.0.0. */
export function convert(text: string): Converted {
  const { plugins, ...list } = readList(text)
  const bridge = plugins.find(({ type }) => type === "bridge")
  if (bridge === undefined || plugins[0] !== bridge) {
    throw new CniError(CODES.invalidConfig, "Cannot convert: the first plugin of the list is not of type bridge", {
      details: `The types are: ${plugins.map(({ type }) => String(type)).join(", ") || "none"}`,
    })
  }
  const notes: string[] = []
  const others = plugins.slice(1).map((plugin) => absorb(plugin, notes))
  const kept = others.flatMap(({ stays }) => stays ?? [])
  const entry = {
    type: "linkspan",
    ...convertBridge(bridge, notes),
    ...Object.assign({}, ...others.map(({ keys }) => keys ?? {})),
  }
  const capabilities = Object.assign(
    { ips: true, mac: true, aliases: true },
    ...[bridge, ...plugins.slice(1).filter((plugin) => !kept.includes(plugin))].map(
      ({ capabilities: own }) => own ?? {},
    ),
  )
  return { list: { ...list, plugins: [{ ...entry, capabilities }, ...kept] }, notes }
}

function readList(text: string): Json & { readonly plugins: readonly Json[] } {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    document = undefined
  }
  if (!isObject(document)) {
    throw new CniError(CODES.decodingFailure, "Cannot convert: standard input is no JSON object")
  }
  if (Array.isArray(document["plugins"])) {
    return { ...document, plugins: document["plugins"].filter(isObject) }
  }
  const { cniVersion, name, ...plugin } = document
  return { cniVersion, name, plugins: [plugin] }
}

/** Keys of bridge that say how it does its work and not what it does. */
const MEANINGLESS = {
  ipMasqBackend: "the rules are nftables' in any case",
  forceAddress: "a bridge has one address of each family",
  enabledad: "addresses are usable at once",
  macspoofchk: "addresses are checked at every port in any case",
  hairpinMode: "containers reach their own published ports in any case",
  promiscMode: "containers reach their own published ports in any case",
}

function convertBridge({ type: _, capabilities: __, ...keys }: Json, notes: string[]): Json {
  notes.push('"bridge" becomes "linkspan"; its keys mean the same')
  const left = Object.fromEntries(
    Object.entries(keys).filter(([key]) => {
      const why = MEANINGLESS[key as keyof typeof MEANINGLESS]
      if (why !== undefined) {
        notes.push(`"${key}" is left out: ${why}`)
      }
      return why === undefined
    }),
  )
  if (left["bridge"] === undefined) {
    notes.push('"bridge" is "cni0", which it was by default')
  }
  const { ipam } = left
  return { bridge: "cni0", ...left, ...(isObject(ipam) ? { ipam: convertIpam(ipam, notes) } : {}) }
}

function convertIpam(ipam: Json, notes: string[]): Json {
  if (ipam["type"] !== "host-local") {
    notes.push(`"ipam.type" ${JSON.stringify(ipam["type"])} stays, and is asked for the addresses`)
    return ipam
  }
  notes.push(
    '"ipam.type" host-local is left out: linkspan gives the addresses. It does not know those of containers that run now; convert when there are none, or put the type back',
  )
  const { type: _, dataDir: __, resolvConf, ...rest } = ipam
  if (resolvConf !== undefined) {
    notes.push('"ipam.resolvConf" is left out: put its servers into "dns"')
  }
  return rest
}

interface Absorbed {
  /** What linkspan's entry gets for it. */
  readonly keys?: Json
  readonly stays?: Json
}

function absorb(plugin: Json, notes: string[]): Absorbed {
  switch (plugin["type"]) {
    case "portmap":
      notes.push('"portmap" is left out: linkspan publishes ports')
      return {}
    case "firewall":
      return absorbFirewall(plugin, notes)
    case "bandwidth":
      return absorbKeys(plugin, { known: RATE_KEYS, does: "limits rates" }, notes)
    case "tuning":
      return absorbKeys(plugin, { known: TUNING_KEYS, does: "sets what is to be set on the interface" }, notes)
    default:
      notes.push(`${JSON.stringify(plugin["type"])} stays, behind linkspan`)
      return { stays: plugin }
  }
}

const RATE_KEYS = ["ingressRate", "ingressBurst", "egressRate", "egressBurst"]

const TUNING_KEYS = ["sysctl", "promisc", "allmulti"]

/** A plugin whose keys linkspan has too, if it has no others. */
function absorbKeys(
  plugin: Json,
  { known, does }: { readonly known: readonly string[]; readonly does: string },
  notes: string[],
): Absorbed {
  const { type, capabilities: _, ...keys } = plugin
  const other = Object.keys(keys).find((key) => !known.includes(key))
  if (other !== undefined) {
    notes.push(`"${type}" stays, behind linkspan, which does not know its "${other}"`)
    return { stays: plugin }
  }
  notes.push(`"${type}" is left out: linkspan ${does}`)
  return { keys }
}

function absorbFirewall(plugin: Json, notes: string[]): Absorbed {
  if (plugin["backend"] === "firewalld") {
    notes.push('"firewall" stays, since it tells firewalld')
    return { stays: plugin }
  }
  if (plugin["ingressPolicy"] === "isolated") {
    notes.push('"firewall" is left out: "portIsolation" keeps containers of the network apart')
    return { keys: { portIsolation: true } }
  }
  if (plugin["ingressPolicy"] === "same-bridge") {
    notes.push('"firewall" is left out: linkspan keeps networks apart')
    return {}
  }
  notes.push('"firewall" is left out; its "ingressPolicy" is "open": containers of such networks reach each other')
  return { keys: { ingressPolicy: "open" } }
}
