// --network, as often as the container has networks, each with what is wanted of it there:
// NAME[:ip=10.89.0.9,ip6=fd00::9,mac=02:…,ifname=eth7,priority=10,alias=api]. For a single network the same things have
// options of their own.

import { nearest } from "#model/nearest.ts"
import { quote } from "#model/quote.ts"
import type { JoinRequest } from "#model/request.ts"
import type { Given, Options, Origins, Positionals, RefuseAt } from "../command.ts"
import { integer, type Refuse, rate, text, type Value } from "../value.ts"

const priority = integer("N")

/** What can be wanted of one membership. */
export const JOIN_OPTIONS = {
  ip: { kind: "one", value: text("ADDRESS"), about: "This IPv4 address rather than the next free one" },
  ip6: { kind: "one", value: text("ADDRESS"), about: "This IPv6 address rather than the next free one" },
  mac: { kind: "one", value: text("MAC"), aliases: ["mac-address"], about: "This MAC address" },
  ifname: { kind: "one", value: text("NAME"), about: "Name of the interface inside the container" },
  priority: {
    kind: "one",
    value: priority,
    aliases: ["gw-priority"],
    about: "The network with the highest priority gives the default route",
  },
  alias: {
    kind: "many",
    value: text("NAME"),
    aliases: ["network-alias"],
    about: "A further name for the container on that network",
  },
  "rate-in": { kind: "one", value: rate, about: "Let the container receive no faster than this: 10mbit" },
  "rate-out": { kind: "one", value: rate, about: "Let the container send no faster than this: 500kbit" },
} as const satisfies Options

type JoinValues = Given<typeof JOIN_OPTIONS, Positionals>["options"]

export interface NetworkSpec {
  readonly text: string
  readonly join: JoinRequest
}

const networkSpec: Value<NetworkSpec> = {
  metavar: "NAME[:KEY=VALUE,…]",
  candidates: "network",
  read(text, refuse) {
    const join = readSpec(text, refuse)
    return join === undefined ? undefined : { text, join }
  },
}

export const NETWORK = {
  network: {
    kind: "many",
    value: networkSpec,
    aliases: ["net"],
    about: "Join a network; keys: ip, ip6, mac, ifname, priority, alias, rate-in, rate-out",
  },
} as const satisfies Options

/** Options of a command that joins any number of networks. */
export const NETWORKS = { ...NETWORK, ...JOIN_OPTIONS } as const satisfies Options

type NetworksValues = Given<typeof NETWORKS, Positionals>["options"]

/** One membership from the options that stand for themselves. */
export function readJoin(network: string, options: JoinValues): JoinRequest {
  const addresses = [options.ip, options.ip6].filter((address) => address !== undefined)
  return {
    network,
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(options.mac === undefined ? {} : { mac: options.mac }),
    ...(options.ifname === undefined ? {} : { ifname: options.ifname }),
    ...(options.priority === undefined ? {} : { gatewayPriority: options.priority }),
    ...(options.alias.length === 0 ? {} : { aliases: options.alias }),
    ...(options["rate-in"] === undefined ? {} : { rateIn: { bitsPerSecond: options["rate-in"] } }),
    ...(options["rate-out"] === undefined ? {} : { rateOut: { bitsPerSecond: options["rate-out"] } }),
  }
}

export function joinOrigins(options: JoinValues, prefix = ""): Origins {
  const addresses = [["--ip", options.ip] as const, ["--ip6", options.ip6] as const].filter(
    ([, value]) => value !== undefined,
  )
  return {
    ...Object.fromEntries(addresses.map(([name, value], i) => [`${prefix}addresses[${i}]`, `${name} ${value}`])),
    [`${prefix}addresses`]: addresses[0]?.[0] ?? "--ip",
    [`${prefix}mac`]: "--mac",
    [`${prefix}ifname`]: "--ifname",
    [`${prefix}gatewayPriority`]: "--priority",
    [`${prefix}aliases`]: "--alias",
    [`${prefix}rateIn`]: "--rate-in",
    [`${prefix}rateIn.bitsPerSecond`]: "--rate-in",
    [`${prefix}rateOut`]: "--rate-out",
    [`${prefix}rateOut.bitsPerSecond`]: "--rate-out",
  }
}

/** Every membership. Those of a single network may be spread over the options that stand for themselves. */
export function readJoins(options: NetworksValues, refuse: RefuseAt): readonly JoinRequest[] {
  const joins = options.network.map((spec) => spec.join)
  const single = given(options)
  const [only] = joins
  if (single.length === 0) {
    return joins
  }
  if (only === undefined || joins.length > 1) {
    for (const name of single) {
      refuse(
        name,
        `needs exactly one --network, and there ${joins.length === 0 ? "is none" : `are ${joins.length}`}; write --network NAME:${name.slice(2)}=VALUE`,
      )
    }
    return joins
  }
  for (const name of twice(only, options)) {
    refuse(name, "is also among the keys of --network; give it once")
  }
  const more = readJoin(only.network, options)
  const addresses = [...(only.addresses ?? []), ...(more.addresses ?? [])]
  const aliases = [...(only.aliases ?? []), ...(more.aliases ?? [])]
  return [
    {
      ...only,
      ...more,
      ...(addresses.length === 0 ? {} : { addresses }),
      ...(aliases.length === 0 ? {} : { aliases }),
    },
  ]
}

export function joinsOrigins(options: NetworksValues): Origins {
  const written = options.network.map((spec, i) => [`networks[${i}]`, `--network ${spec.text}`] as const)
  const single = given(options).length > 0 && options.network.length === 1 ? joinOrigins(options, "networks[0].") : {}
  return { networks: "--network", ...Object.fromEntries(written), ...single }
}

/** The single-network options that were written. */
function given(options: JoinValues): string[] {
  return (["ip", "ip6", "mac", "ifname", "priority", "alias", "rate-in", "rate-out"] as const)
    .filter((key) => (key === "alias" ? options.alias.length > 0 : options[key] !== undefined))
    .map((key) => `--${key}`)
}

function twice(join: JoinRequest, options: JoinValues): string[] {
  const both = [
    ["--mac", join.mac, options.mac],
    ["--ifname", join.ifname, options.ifname],
    ["--priority", join.gatewayPriority, options.priority],
    ["--rate-in", join.rateIn, options["rate-in"]],
    ["--rate-out", join.rateOut, options["rate-out"]],
  ] as const
  return both.filter(([, key, option]) => key !== undefined && option !== undefined).map(([name]) => name)
}

function readSpec(spec: string, refuse: Refuse): JoinRequest | undefined {
  // "container:NAME" is a mode, not a network with keys.
  const colon = spec.startsWith("container:") ? -1 : spec.indexOf(":")
  const network = colon < 0 ? spec : spec.slice(0, colon)
  if (network === "") {
    refuse(`${quote(spec)} names no network`)
    return undefined
  }
  if (colon < 0) {
    return { network }
  }
  const keys = spec
    .slice(colon + 1)
    .split(",")
    .flatMap((part) => readKey(part, refuse))
  const all = (field: JoinKey["field"]) => keys.flatMap((key) => (key.field === field ? [key.value] : []))
  for (const field of ["mac", "ifname", "priority", "rate-in", "rate-out"] as const) {
    if (all(field).length > 1) {
      refuse(`${quote(spec)} gives ${field} more than once`)
    }
  }
  const [mac] = all("mac")
  const [ifname] = all("ifname")
  const [written] = all("priority")
  const gatewayPriority = written === undefined ? undefined : priority.read(written, (why) => refuse(`priority ${why}`))
  const rateOf = (field: "rate-in" | "rate-out") => {
    const [text] = all(field)
    const bitsPerSecond = text === undefined ? undefined : rate.read(text, (why) => refuse(`${field} ${why}`))
    return bitsPerSecond === undefined ? undefined : { bitsPerSecond }
  }
  const [rateIn, rateOut] = [rateOf("rate-in"), rateOf("rate-out")]
  return {
    network,
    ...(rateIn === undefined ? {} : { rateIn }),
    ...(rateOut === undefined ? {} : { rateOut }),
    ...(mac === undefined ? {} : { mac }),
    ...(ifname === undefined ? {} : { ifname }),
    ...(gatewayPriority === undefined ? {} : { gatewayPriority }),
    ...(all("address").length === 0 ? {} : { addresses: all("address") }),
    ...(all("alias").length === 0 ? {} : { aliases: all("alias") }),
  }
}

interface JoinKey {
  readonly field: "address" | "mac" | "ifname" | "priority" | "alias" | "rate-in" | "rate-out"
  readonly value: string
}

/** Key as it is written -> field; the further spellings are Docker's and Podman's. */
const KEYS: Readonly<Record<string, JoinKey["field"]>> = {
  ip: "address",
  ip6: "address",
  mac: "mac",
  "mac-address": "mac",
  ifname: "ifname",
  interface_name: "ifname",
  priority: "priority",
  "gw-priority": "priority",
  alias: "alias",
  "rate-in": "rate-in",
  "rate-out": "rate-out",
}

/** One "key=value"; none when it was refused. */
function readKey(part: string, refuse: Refuse): JoinKey[] {
  const equals = part.indexOf("=")
  const key = equals < 0 ? part : part.slice(0, equals)
  const value = equals < 0 ? "" : part.slice(equals + 1)
  const field = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined
  if (field === undefined) {
    refuse(`${quote(part)} has no key that is known; ${keyHint(key)}`)
    return []
  }
  if (value === "") {
    refuse(`${quote(part)} has no value; write ${key}=VALUE`)
    return []
  }
  return [{ field, value }]
}

function keyHint(key: string): string {
  const near = nearest(key, Object.keys(KEYS))
  return near === undefined
    ? "the keys are ip, ip6, mac, ifname, priority, alias, rate-in and rate-out"
    : `did you mean ${near}?`
}

/** `host`, `none` and `container:NAME` stand where a network would, and alone. */
export function isMode(network: string): boolean {
  return network === "host" || network === "none" || network.startsWith("container:")
}
