// Docker's names for a network's options (`docker network create -o KEY=VALUE`, `driver_opts` of a compose file) and what
// they are here. Each is obeyed or refused with a sentence, never passed over: a network that is less closed than its
// owner asked for must not come to be.
//
// Keys and meanings: Docker's reference of `docker network create` and of the bridge, macvlan and ipvlan drivers; the
// words that count as true and false are those of Go's strconv.ParseBool.

import { childField, type Field, isPresent, oneOf, presentOnly, readPlainObject, readText, refuse } from "./field.ts"
import { didYouMean } from "./nearest.ts"
import { GATEWAY_MODES, IPVLAN_MODES, MACVLAN_MODES, type NetworkDriver } from "./network.ts"
import { quote } from "./quote.ts"
import { readIp } from "./read-inet.ts"
import { readIfname } from "./read-names.ts"
import type { CreateNetworkRequest } from "./request.ts"

/** What the network is apart from its options. */
export interface DockerNetwork {
  readonly driver: NetworkDriver
  readonly internal: boolean
  readonly ipv4: boolean
  readonly ipv6: boolean
}

export interface DockerOptions {
  readonly request: Pick<
    CreateNetworkRequest,
    | "mtu"
    | "icc"
    | "gatewayMode"
    | "containerIfname"
    | "parent"
    | "mode"
    | "ipv4"
    | "ipv6"
    | "outbound"
    | "masquerade"
    | "direct"
  >
  /** The bridge's name: one that exists is used as it is and outlives the network, another is made. */
  readonly bridge?: string
  /** Where ports are published that name no address. */
  readonly hostBinding?: string
}

const BRIDGE = "com.docker.network.bridge."
const NETWORK = "com.docker.network."

export const DOCKER_OPTIONS = {
  mtu: `${NETWORK}driver.mtu`,
  ifnamePrefix: `${NETWORK}container_iface_prefix`,
  enableIpv4: `${NETWORK}enable_ipv4`,
  enableIpv6: `${NETWORK}enable_ipv6`,
  hostIpv4: `${NETWORK}host_ipv4`,
  hostIpv6: `${NETWORK}host_ipv6`,
  advertiseCount: `${NETWORK}advertise_addr_nmsgs`,
  advertisePause: `${NETWORK}advertise_addr_ms`,
  bridge: `${BRIDGE}name`,
  masquerade: `${BRIDGE}enable_ip_masquerade`,
  icc: `${BRIDGE}enable_icc`,
  modeIpv4: `${BRIDGE}gateway_mode_ipv4`,
  modeIpv6: `${BRIDGE}gateway_mode_ipv6`,
  inhibitIpv4: `${BRIDGE}inhibit_ipv4`,
  hostBinding: `${BRIDGE}host_binding_ipv4`,
  trusted: `${BRIDGE}trusted_host_interfaces`,
  defaultBridge: `${BRIDGE}default_bridge`,
  parent: "parent",
  macvlanMode: "macvlan_mode",
  ipvlanMode: "ipvlan_mode",
  ipvlanFlag: "ipvlan_flag",
} as const

/** Of networks that a Docker daemon made through its plugin. */
export const DOCKER_LABELS = {
  /** The whole of Docker's id. */
  id: `${NETWORK}id`,
  /** Whose it is: the daemon's own id, once its API was asked. */
  daemon: `${NETWORK}daemon`,
} as const

type Option = keyof typeof DOCKER_OPTIONS

const COMMON: readonly Option[] = [
  "mtu",
  "ifnamePrefix",
  "enableIpv4",
  "enableIpv6",
  "advertiseCount",
  "advertisePause",
]
const OF_DRIVER: Readonly<Record<NetworkDriver, readonly Option[]>> = {
  bridge: [
    ...COMMON,
    "hostIpv4",
    "hostIpv6",
    "bridge",
    "masquerade",
    "icc",
    "modeIpv4",
    "modeIpv6",
    "inhibitIpv4",
    "hostBinding",
    "trusted",
    "defaultBridge",
  ],
  macvlan: [...COMMON, "parent", "macvlanMode"],
  ipvlan: [...COMMON, "parent", "ipvlanMode", "ipvlanFlag"],
}

/** @param field an object of texts, or null for none; its mistakes are named by Docker's keys. */
export function readDockerOptions(field: Field, network: DockerNetwork): DockerOptions {
  const given = field.value === undefined || field.value === null ? {} : (readPlainObject(field) ?? {})
  const options = new Map<string, Field>()
  const known = new Set(OF_DRIVER[network.driver].map((option) => DOCKER_OPTIONS[option] as string))
  for (const [key, value] of Object.entries(given)) {
    const option = childField(field, key, value)
    if (readText(option, 4096) === undefined) {
      continue
    }
    if (known.has(key)) {
      options.set(key, option)
    } else {
      refuse(option, unknownOption(key, network.driver, [...known]))
    }
  }
  const read = <T>(option: Option, reader: (field: Field) => T | undefined): T | undefined => {
    const one = options.get(DOCKER_OPTIONS[option])
    return one === undefined ? undefined : reader(one)
  }
  refuseUnsupported(read)
  const ipv4 = read("enableIpv4", readWord)
  const ipv6 = read("enableIpv6", readWord)
  return {
    request: presentOnly({
      ipv4,
      ipv6,
      mtu: read("mtu", readMtuText),
      icc: read("icc", readWord),
      containerIfname: read("ifnamePrefix", (one) => textOf(one)),
      ...readModes(read, { ...network, ipv4: ipv4 ?? network.ipv4, ipv6: ipv6 ?? network.ipv6 }),
      outbound: readOutbound(read),
      masquerade: read("masquerade", readWord) === false ? false : undefined,
      parent: read("parent", readIfname),
      mode: read("macvlanMode", oneOf(MACVLAN_MODES)) ?? read("ipvlanMode", oneOf(IPVLAN_MODES)),
    }),
    ...presentOnly({
      bridge: read("bridge", readIfname),
      hostBinding: read("hostBinding", readIp),
    }),
  }
}

type Read = <T>(option: Option, reader: (field: Field) => T | undefined) => T | undefined

function unknownOption(key: string, driver: NetworkDriver, known: readonly string[]): string {
  const others = Object.entries(OF_DRIVER).flatMap(([name, options]) =>
    options.some((option) => DOCKER_OPTIONS[option] === key) ? [`"${name}"`] : [],
  )
  return others.length > 0
    ? `is an option of driver ${others.join(" and ")}, not of "${driver}"`
    : `is no option of driver "${driver}"${didYouMean(key, known)}`
}

/** NAT, with the containers' own addresses reached at every port. */
export const UNPROTECTED = "nat-unprotected"

function readModes(
  read: Read,
  { internal, ipv4, ipv6 }: DockerNetwork,
): Pick<CreateNetworkRequest, "gatewayMode" | "direct"> | undefined {
  const one = (option: "modeIpv4" | "modeIpv6"): { mode: string; field: Field } | undefined =>
    read(option, (field) => {
      const mode = field.value === "" ? "nat" : readMode(field, internal)
      return mode === undefined ? undefined : { mode, field }
    })
  const four = one("modeIpv4")
  const six = one("modeIpv6")
  const asked = [ipv4 ? four : undefined, ipv6 ? six : undefined].filter(isPresent)
  const modes = new Set([...(ipv4 ? [four?.mode ?? "nat"] : []), ...(ipv6 ? [six?.mode ?? "nat"] : [])])
  if (asked.length === 0) {
    return undefined
  }
  if (modes.size > 1) {
    const last = asked.at(-1) as { readonly field: Field }
    return refuse(
      last.field,
      "gives IPv4 and IPv6 different modes (the one that is not given is nat), and a network here has one for both",
    )
  }
  const mode = asked[0]?.mode
  return mode === UNPROTECTED ? { gatewayMode: "nat", direct: true } : presentOnly({ gatewayMode: mode })
}

/** What the world sees of the containers; the model checks whether that can be. */
function readOutbound(read: Read): readonly string[] | undefined {
  const own = (option: "hostIpv4" | "hostIpv6", isOwn: (ip: string) => boolean): string | undefined =>
    read(option, (field) => {
      const ip = field.value === "" ? undefined : readIp(field)
      return ip === undefined || isOwn(ip) ? ip : refuse(field, `${ip} is an address of the other family`)
    })
  const addresses = [own("hostIpv4", (ip) => !ip.includes(":")), own("hostIpv6", (ip) => ip.includes(":"))]
  const given = addresses.filter(isPresent)
  return given.length === 0 ? undefined : given
}

function readMode(field: Field, internal: boolean): string | undefined {
  const mode = oneOf([...GATEWAY_MODES.filter((each) => each !== "external"), UNPROTECTED])(field)
  return mode === "isolated" && !internal ? refuse(field, '"isolated" needs an internal network') : mode
}

/** What is refused unless it says what is so anyway. */
function refuseUnsupported(read: Read): void {
  const unless = (option: Option, fine: (text: string, field: Field) => boolean, message: string): void => {
    read(option, (field) => (fine(textOf(field), field) ? undefined : refuse(field, message)))
  }
  unless(
    "inhibitIpv4",
    (_, field) => readWord(field) !== true,
    'cannot be true: with gateway mode "isolated" the host has no address on the network, of either family',
  )
  unless("defaultBridge", (_, field) => readWord(field) !== true, "cannot be true: there is no default network")
  unless("trusted", (text) => text === "", "is not offered: no interface of the host passes the rules of a network")
  unless("advertiseCount", (text) => text === "3", "is not offered: new addresses are announced as the kernel does it")
  unless(
    "advertisePause",
    (text) => text === "1000",
    "is not offered: new addresses are announced as the kernel does it",
  )
  unless("ipvlanFlag", (text) => text === "bridge" || text === "", 'must be "bridge", the only one offered')
}

const WORDS: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(["1", "t", "T", "TRUE", "true", "True"].map((word) => [word, true])),
  ...Object.fromEntries(["0", "f", "F", "FALSE", "false", "False"].map((word) => [word, false])),
}

function readWord(field: Field): boolean | undefined {
  const text = textOf(field)
  return Object.hasOwn(WORDS, text)
    ? WORDS[text]
    : refuse(field, `must be "true" or "false", not ${quote(field.value)}`)
}

/** The limits are the model's own; here it only becomes a number. 0 is Docker's word for the default. */
function readMtuText(field: Field): number | undefined {
  const text = textOf(field)
  if (!/^[0-9]{1,6}$/.test(text)) {
    return refuse(field, `must be a number of bytes, not ${quote(field.value)}`)
  }
  return Number(text) === 0 ? undefined : Number(text)
}

function textOf(field: Field): string {
  return typeof field.value === "string" ? field.value : ""
}
