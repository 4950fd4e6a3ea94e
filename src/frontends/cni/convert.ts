// From a working list of the reference plugins to one for linkspan: what bridge, host-local, portmap and firewall do is
// done by one entry. Whatever linkspan does not do stays where it is, and each change is explained.

import { CniError, CODES } from "./cni-error.ts"
import { isObject } from "./fold.ts"
import { isSaid, UNSUPPORTED } from "./network-config.ts"

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
  const others = plugins.slice(1).map((plugin) => absorb(plugin, bridge, notes))
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
  for (const key of UNSUPPORTED.filter((one) => isSaid(left[one]))) {
    notes.push(`"${key}" stays, and linkspan refuses to add containers with it: it does not do this`)
  }
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
  const { type: _, dataDir, ...rest } = ipam
  if (dataDir !== undefined) {
    notes.push('"ipam.dataDir" is left out: linkspan has one state, in /var/lib/linkspan')
  }
  return rest
}

interface Absorbed {
  /** What linkspan's entry gets for it. */
  readonly keys?: Json
  readonly stays?: Json
}

function absorb(plugin: Json, bridge: Json, notes: string[]): Absorbed {
  switch (plugin["type"]) {
    case "portmap":
      return absorbPortmap(plugin, notes)
    case "firewall":
      return absorbFirewall(plugin, notes)
    case "bandwidth":
      return absorbKeys(plugin, { known: RATE_KEYS, does: "limits rates" }, notes)
    case "tuning":
      return absorbTuning(plugin, bridge, notes)
    default:
      notes.push(`${JSON.stringify(plugin["type"])} stays, behind linkspan`)
      return { stays: plugin }
  }
}

const RATE_KEYS = ["ingressRate", "ingressBurst", "egressRate", "egressBurst"]

const TUNING_KEYS = ["sysctl", "promisc", "allmulti", "mac", "txQLen", "mtu", "dataDir"]

/** Its MTU is that of the container's end alone, and linkspan's that of the network. */
function absorbTuning(plugin: Json, bridge: Json, notes: string[]): Absorbed {
  const { mtu } = plugin
  if (mtu !== undefined && bridge["mtu"] !== undefined && bridge["mtu"] !== mtu) {
    notes.push(`"tuning" stays, behind linkspan: its "mtu" is not the network's`)
    return { stays: plugin }
  }
  if (mtu !== undefined) {
    notes.push('"mtu" of "tuning" becomes that of the whole network')
  }
  const { keys, ...rest } = absorbKeys(
    plugin,
    { known: TUNING_KEYS, does: "sets what is to be set on the interface" },
    notes,
  )
  const { dataDir, ...used } = keys ?? {}
  if (dataDir !== undefined) {
    notes.push('"dataDir" of "tuning" is left out: linkspan has one state, in /var/lib/linkspan')
  }
  return { keys: used, ...rest }
}

/** How portmap does its work, and so without a meaning here. */
const PORTMAP_WAYS: Readonly<Record<string, string>> = {
  backend: "the rules are nftables' in any case",
  snat: "published ports are used from the host and the network itself in any case",
  markMasqBit: "no packet is marked",
  externalSetMarkChain: "no packet is marked",
}

function absorbPortmap({ type: _, capabilities: __, ...keys }: Json, notes: string[]): Absorbed {
  notes.push('"portmap" is left out: linkspan publishes ports')
  for (const [key, value] of Object.entries(keys)) {
    const why = PORTMAP_WAYS[key]
    if (why !== undefined) {
      notes.push(`"${key}" of "portmap" is left out: ${why}`)
    } else if (isSaid(value)) {
      notes.push(
        `"${key}" of "portmap" has no counterpart: published ports are open to everybody, with their own addresses`,
      )
    }
  }
  return {}
}

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

const FIREWALL_WAYS: Readonly<Record<string, string>> = {
  backend: "the rules are nftables' in any case",
  iptablesAdminChainName: "rules of one's own go into a chain of one's own, at any priority",
  firewalldZone: "linkspan talks to firewalld by itself (linkspan firewall integrate)",
}

function absorbFirewall(plugin: Json, notes: string[]): Absorbed {
  if (plugin["backend"] === "firewalld") {
    notes.push('"firewall" stays, since it tells firewalld')
    return { stays: plugin }
  }
  for (const [key, why] of Object.entries(FIREWALL_WAYS).filter(([each]) => plugin[each] !== undefined)) {
    notes.push(`"${key}" of "firewall" is left out: ${why}`)
  }
  if (plugin["ingressPolicy"] === "isolated") {
    notes.push(
      '"firewall" is left out: in place of its "ingressPolicy" isolated, "portIsolation" keeps containers of the network apart',
    )
    return { keys: { portIsolation: true } }
  }
  if (plugin["ingressPolicy"] === "same-bridge") {
    notes.push('"firewall" is left out: linkspan keeps networks apart by itself ("ingressPolicy" same-bridge)')
    return {}
  }
  notes.push('"firewall" is left out; its "ingressPolicy" is "open": containers of such networks reach each other')
  return { keys: { ingressPolicy: "open" } }
}
