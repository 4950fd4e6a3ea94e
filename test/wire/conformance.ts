// What the codecs of src/wire claim about Linux, compared with Linux's own headers: attribute numbers, names of numbers,
// constants, message types and the layout of fixed headers.

import type { AttrTable, Codec, StructCodec, StructFields } from "#wire/schema.ts"
import { type Header, header } from "./uapi.ts"

/** A table in TypeScript and where its numbers come from. */
interface Source {
  readonly header: string
  readonly prefix: string
  /** Where the C name is not the prefix and the key in capitals. */
  readonly except?: Readonly<Record<string, string>>
}

const RTNETLINK = "linux/rtnetlink.h"
const IF_LINK = "linux/if_link.h"
const IF_BRIDGE = "linux/if_bridge.h"
const CONNTRACK = "linux/netfilter/nfnetlink_conntrack.h"
const NF_TABLES = "linux/netfilter/nf_tables.h"
const NF_LOG = "linux/netfilter/nfnetlink_log.h"

const TUPLE = { source: "SRC", destination: "DST" }

/** Attribute sets by name. */
const SETS: Readonly<Record<string, Source | "no numbers">> = {
  nlmsgerr: {
    header: "linux/netlink.h",
    prefix: "NLMSGERR_ATTR_",
    except: { message: "NLMSGERR_ATTR_MSG", offset: "NLMSGERR_ATTR_OFFS", missingType: "NLMSGERR_ATTR_MISS_TYPE" },
  },
  link: {
    header: IF_LINK,
    prefix: "IFLA_",
    except: {
      operState: "IFLA_OPERSTATE",
      linkInfo: "IFLA_LINKINFO",
      alias: "IFLA_IFALIAS",
      netnsFd: "IFLA_NET_NS_FD",
      linkNetnsid: "IFLA_LINK_NETNSID",
    },
  },
  qdisc: { header: RTNETLINK, prefix: "TCA_" },
  tbf: { header: "linux/pkt_sched.h", prefix: "TCA_TBF_", except: { parameters: "TCA_TBF_PARMS" } },
  linkinfo: { header: IF_LINK, prefix: "IFLA_INFO_" },
  table: {
    header: "linux/netfilter/nf_tables.h",
    prefix: "NFTA_TABLE_",
    except: { userData: "NFTA_TABLE_USERDATA" },
  },
  trace: { header: "linux/netfilter/nf_tables.h", prefix: "NFTA_TRACE_", except: { handle: "NFTA_TRACE_RULE_HANDLE" } },
  inet6: { header: IF_LINK, prefix: "IFLA_INET6_" },
  // Keyed by address family.
  afSpec: { header: "linux/netfilter.h", prefix: "NFPROTO_", except: { inet6: "NFPROTO_IPV6" } },
  bridge: {
    header: IF_LINK,
    prefix: "IFLA_BR_",
    except: {
      multicastSnooping: "IFLA_BR_MCAST_SNOOPING",
      nfCallIp6tables: "IFLA_BR_NF_CALL_IP6TABLES",
    },
  },
  "bridge-port": {
    header: IF_LINK,
    prefix: "IFLA_BRPORT_",
    except: { number: "IFLA_BRPORT_NO", hairpin: "IFLA_BRPORT_MODE", unicastFlood: "IFLA_BRPORT_UNICAST_FLOOD" },
  },
  macvlan: { header: IF_LINK, prefix: "IFLA_MACVLAN_", except: { broadcastCutoff: "IFLA_MACVLAN_BC_CUTOFF" } },
  ipvlan: { header: IF_LINK, prefix: "IFLA_IPVLAN_" },
  vlan: { header: IF_LINK, prefix: "IFLA_VLAN_" },
  vrf: { header: IF_LINK, prefix: "IFLA_VRF_" },
  portVlan: { header: IF_LINK, prefix: "IFLA_" },
  bridgeSpec: { header: IF_BRIDGE, prefix: "IFLA_BRIDGE_" },
  veth: { header: "linux/veth.h", prefix: "VETH_INFO_" },
  peer: { header: IF_LINK, prefix: "IFLA_", except: { netnsFd: "IFLA_NET_NS_FD" } },
  address: { header: "linux/if_addr.h", prefix: "IFA_" },
  route: {
    header: RTNETLINK,
    prefix: "RTA_",
    except: {
      destination: "RTA_DST",
      source: "RTA_SRC",
      inputLink: "RTA_IIF",
      outputLink: "RTA_OIF",
      metric: "RTA_PRIORITY",
      preferredSource: "RTA_PREFSRC",
    },
  },
  neighbour: {
    header: "linux/neighbour.h",
    prefix: "NDA_",
    except: { destination: "NDA_DST", linkAddress: "NDA_LLADDR" },
  },
  inet_diag: { header: "linux/inet_diag.h", prefix: "INET_DIAG_", except: { v6only: "INET_DIAG_SKV6ONLY" } },
  conntrack: {
    header: CONNTRACK,
    prefix: "CTA_",
    except: { orig: "CTA_TUPLE_ORIG", reply: "CTA_TUPLE_REPLY" },
  },
  "conntrack.stats": { header: CONNTRACK, prefix: "CTA_STATS_GLOBAL_" },
  tuple: { header: CONNTRACK, prefix: "CTA_TUPLE_" },
  "tuple.ip": {
    header: CONNTRACK,
    prefix: "CTA_IP_",
    except: {
      v4Source: "CTA_IP_V4_SRC",
      v4Destination: "CTA_IP_V4_DST",
      v6Source: "CTA_IP_V6_SRC",
      v6Destination: "CTA_IP_V6_DST",
    },
  },
  "tuple.proto": {
    header: CONNTRACK,
    prefix: "CTA_PROTO_",
    except: {
      number: "CTA_PROTO_NUM",
      sourcePort: `CTA_PROTO_${TUPLE.source}_PORT`,
      destinationPort: "CTA_PROTO_DST_PORT",
    },
  },
  filter: {
    header: CONNTRACK,
    prefix: "CTA_FILTER_",
    except: { orig: "CTA_FILTER_ORIG_FLAGS", reply: "CTA_FILTER_REPLY_FLAGS" },
  },
  hook: { header: NF_TABLES, prefix: "NFTA_HOOK_", except: { number: "NFTA_HOOK_HOOKNUM" } },
  chain: { header: NF_TABLES, prefix: "NFTA_CHAIN_" },
  verdict: { header: NF_TABLES, prefix: "NFTA_VERDICT_" },
  data: { header: NF_TABLES, prefix: "NFTA_DATA_" },
  meta: { header: NF_TABLES, prefix: "NFTA_META_", except: registers("NFTA_META_") },
  ct: { header: NF_TABLES, prefix: "NFTA_CT_", except: registers("NFTA_CT_") },
  cmp: { header: NF_TABLES, prefix: "NFTA_CMP_", except: { register: "NFTA_CMP_SREG" } },
  bitwise: {
    header: NF_TABLES,
    prefix: "NFTA_BITWISE_",
    except: { ...registers("NFTA_BITWISE_"), length: "NFTA_BITWISE_LEN" },
  },
  immediate: { header: NF_TABLES, prefix: "NFTA_IMMEDIATE_", except: registers("NFTA_IMMEDIATE_") },
  lookup: { header: NF_TABLES, prefix: "NFTA_LOOKUP_", except: registers("NFTA_LOOKUP_") },
  payload: {
    header: NF_TABLES,
    prefix: "NFTA_PAYLOAD_",
    except: { ...registers("NFTA_PAYLOAD_"), length: "NFTA_PAYLOAD_LEN" },
  },
  // Two enums with the same numbers, NFTA_MATCH_* and NFTA_TARGET_*.
  compat: {
    header: "linux/netfilter/nf_tables_compat.h",
    prefix: "NFTA_MATCH_",
    except: { revision: "NFTA_MATCH_REV" },
  },
  objref: {
    header: NF_TABLES,
    prefix: "NFTA_OBJREF_",
    except: { type: "NFTA_OBJREF_IMM_TYPE", name: "NFTA_OBJREF_IMM_NAME" },
  },
  expression: { header: NF_TABLES, prefix: "NFTA_EXPR_" },
  expressions: { header: NF_TABLES, prefix: "NFTA_LIST_", except: { element: "NFTA_LIST_ELEM" } },
  rule: { header: NF_TABLES, prefix: "NFTA_RULE_" },
  element: { header: NF_TABLES, prefix: "NFTA_SET_ELEM_" },
  elements: { header: NF_TABLES, prefix: "NFTA_SET_ELEM_LIST_", except: { element: "NFTA_LIST_ELEM" } },
  "set-elements": { header: NF_TABLES, prefix: "NFTA_SET_ELEM_LIST_" },
  list: { header: NF_TABLES, prefix: "NFTA_LIST_", except: { element: "NFTA_LIST_ELEM" } },
  // Of every kind of object the same number.
  object: { header: NF_TABLES, prefix: "NFTA_OBJ_" },
  counter: { header: NF_TABLES, prefix: "NFTA_COUNTER_" },
  generation: {
    header: NF_TABLES,
    prefix: "NFTA_GEN_",
    except: { pid: "NFTA_GEN_PROC_PID", processName: "NFTA_GEN_PROC_NAME" },
  },
  "log-config": { header: NF_LOG, prefix: "NFULA_CFG_" },
  "log-packet": {
    header: NF_LOG,
    prefix: "NFULA_",
    except: {
      inputLink: "NFULA_IFINDEX_INDEV",
      outputLink: "NFULA_IFINDEX_OUTDEV",
      physicalInputLink: "NFULA_IFINDEX_PHYSINDEV",
    },
  },
  batch: "no numbers",
}

function registers(prefix: string): Readonly<Record<string, string>> {
  return { sourceRegister: `${prefix}SREG`, destinationRegister: `${prefix}DREG` }
}

const FAMILY: Source = {
  header: "linux/netfilter.h",
  prefix: "NFPROTO_",
  except: { inet: "NFPROTO_IPV4", inet6: "NFPROTO_IPV6" },
}
const IFF: Source = { header: "linux/if.h", prefix: "IFF_" }
const IFA_F: Source = {
  header: "linux/if_addr.h",
  prefix: "IFA_F_",
}
const SCOPE: Source = { header: RTNETLINK, prefix: "RT_SCOPE_" }

/** Names of numbers, by the set or struct and the key. */
const NAMES: Readonly<Record<string, Source | "not in the headers">> = {
  "link.operState": { header: "linux/if.h", prefix: "IF_OPER_" },
  "inet6.addrGenMode": {
    header: IF_LINK,
    prefix: "IN6_ADDR_GEN_MODE_",
    except: { stablePrivacy: "IN6_ADDR_GEN_MODE_STABLE_PRIVACY" },
  },
  "bridge-port.state": { header: IF_BRIDGE, prefix: "BR_STATE_" },
  "bridge_vlan_info.flags": { header: IF_BRIDGE, prefix: "BRIDGE_VLAN_INFO_" },
  "macvlan.mode": { header: IF_LINK, prefix: "MACVLAN_MODE_" },
  "ipvlan.mode": { header: IF_LINK, prefix: "IPVLAN_MODE_" },
  "ifinfomsg.family": FAMILY,
  "ifinfomsg.type": { header: "linux/if_arp.h", prefix: "ARPHRD_" },
  "ifinfomsg.flags": IFF,
  "ifinfomsg.change": IFF,
  "ifaddrmsg.family": FAMILY,
  "ifaddrmsg.flags": IFA_F,
  "ifaddrmsg.scope": SCOPE,
  "address.flags": IFA_F,
  "rtmsg.family": FAMILY,
  "rtmsg.table": { header: RTNETLINK, prefix: "RT_TABLE_" },
  "rtmsg.protocol": { header: RTNETLINK, prefix: "RTPROT_" },
  "rtmsg.scope": SCOPE,
  "rtmsg.type": { header: RTNETLINK, prefix: "RTN_" },
  "tcmsg.family": FAMILY,
  "ndmsg.family": FAMILY,
  "ndmsg.state": { header: "linux/neighbour.h", prefix: "NUD_" },
  "ndmsg.flags": { header: "linux/neighbour.h", prefix: "NTF_" },
  "nfgenmsg.family": FAMILY,
  // CTA_FILTER_FLAG() is the kernel's own (net/netfilter/nf_conntrack_netlink.c).
  "filter.orig": "not in the headers",
  "filter.reply": "not in the headers",
}

/** Fixed headers. */
const STRUCTS: Readonly<Record<string, { readonly header: string; readonly fields?: number }>> = {
  ifinfomsg: { header: RTNETLINK },
  bridge_vlan_info: { header: IF_BRIDGE },
  ifaddrmsg: { header: "linux/if_addr.h" },
  rtmsg: { header: RTNETLINK },
  tcmsg: { header: RTNETLINK },
  ndmsg: { header: "linux/neighbour.h" },
  nfgenmsg: { header: "linux/netfilter/nfnetlink.h" },
  // Its first four bytes: what follows is read by offsets (sockdiag/inet.ts).
  inet_diag: { header: "linux/inet_diag.h", fields: 4 },
}

/** Where constants stand that are exported under their C names, alone or as members of an object. */
const CONSTANT_HEADERS = [
  "linux/netlink.h",
  RTNETLINK,
  IF_LINK,
  IF_BRIDGE,
  "linux/if.h",
  "linux/if_addr.h",
  "linux/neighbour.h",
  "linux/pkt_sched.h",
  "linux/netfilter.h",
  "linux/netfilter/nfnetlink.h",
  CONNTRACK,
  NF_TABLES,
  NF_LOG,
  "linux/sock_diag.h",
]
const CONSTANT_OBJECTS: Readonly<Record<string, Source>> = {
  NLM_F: { header: "linux/netlink.h", prefix: "NLM_F_" },
  NFPROTO: {
    header: "linux/netfilter.h",
    prefix: "NFPROTO_",
    except: { ip: "NFPROTO_IPV4", ip6: "NFPROTO_IPV6" },
  },
  NFT_META: {
    header: NF_TABLES,
    prefix: "NFT_META_",
    except: { bridgeIifname: "NFT_META_BRI_IIFNAME", bridgeOifname: "NFT_META_BRI_OIFNAME" },
  },
  NFT_CT: { header: NF_TABLES, prefix: "NFT_CT_" },
  NFULNL_CFG_CMD: { header: NF_LOG, prefix: "NFULNL_CFG_CMD_" },
  RTNLGRP: {
    header: RTNETLINK,
    prefix: "RTNLGRP_",
    except: {
      ipv4Address: "RTNLGRP_IPV4_IFADDR",
      ipv4Route: "RTNLGRP_IPV4_ROUTE",
      ipv6Address: "RTNLGRP_IPV6_IFADDR",
      ipv6Route: "RTNLGRP_IPV6_ROUTE",
      ipv4Netconf: "RTNLGRP_IPV4_NETCONF",
      ipv6Netconf: "RTNLGRP_IPV6_NETCONF",
    },
  },
}
/** Exported constants that no header of the kernel has, and why. Sizes of ours end in _BYTES. */
const NOT_IN_HEADERS: Readonly<Record<string, string>> = {
  AF_BRIDGE: "the C library's; compared as NFPROTO_BRIDGE in every header's family",
  AF_INET: "the C library's; compared as NFPROTO_IPV4 in every header's family",
  AF_INET6: "the C library's; compared as NFPROTO_IPV6 in every header's family",
  CTA_FILTER_F_IP_SRC: "the kernel's own",
  CTA_FILTER_F_PROTO_NUM: "the kernel's own",
  CTA_FILTER_F_PROTO_SRC_PORT: "the kernel's own",
  CLIENT_PORT: "of DHCP: RFC 2131, section 4.1",
  SERVER_PORT: "of DHCP: RFC 2131, section 4.1",
  HOOK_INPUT: "a name of ours for NF_INET_LOCAL_IN",
  HOOK_FORWARD: "a name of ours for NF_INET_FORWARD and NF_BR_FORWARD",
}

const NETFILTER_SUBSYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/^IPCTNL_MSG_CT_/, "NFNL_SUBSYS_CTNETLINK"],
  [/^NFT_MSG_/, "NFNL_SUBSYS_NFTABLES"],
  [/^NFULNL_MSG_/, "NFNL_SUBSYS_ULOG"],
]

/** Younger than the headers of Debian 12 (Linux 6.1): compared where they are there. */
export const YOUNG: ReadonlySet<string> = new Set(["IFLA_MACVLAN_BC_CUTOFF"])

/** One thing that was compared. */
export interface Finding {
  /** "bridge.stpState" */
  readonly what: string
  /** "IFLA_BR_STP_STATE" */
  readonly name: string
  readonly ours: number
  /** Undefined when the headers do not have that name. */
  readonly theirs: number | undefined
}

export interface Claims {
  /** What the modules of src/wire export, by name. */
  readonly exports: Readonly<Record<string, unknown>>
}

interface Kind {
  readonly name: string
  readonly type: number
  readonly header: StructCodec<StructFields>
  readonly attrs: Codec<unknown>
}

/** Compares everything. @throws Error for a table that nobody has said the source of. */
export function compare({ exports }: Claims, read: (name: string) => Header = header): Finding[] {
  const comparison = new Comparison(read)
  for (const [name, value] of Object.entries(exports)) {
    comparison.exported(name, value)
  }
  return comparison.findings
}

class Comparison {
  readonly findings: Finding[] = []
  readonly #read: (name: string) => Header
  readonly #seen = new Set<unknown>()

  constructor(read: (name: string) => Header) {
    this.#read = read
  }

  exported(name: string, value: unknown): void {
    if (isKind(value)) {
      this.#messageType(value)
      this.#struct(value.header)
      this.#codec(value.attrs)
    } else if (isCodec(value)) {
      this.#codec(value)
    } else if (typeof value === "number" && /^[A-Z]/.test(name)) {
      this.#constant(name, value)
    } else if (name in CONSTANT_OBJECTS) {
      this.#numbers(name, value as Readonly<Record<string, number>>, CONSTANT_OBJECTS[name] as Source)
    }
  }

  #messageType({ name, type }: Kind): void {
    const [, subsystem] = NETFILTER_SUBSYSTEMS.find(([pattern]) => pattern.test(name)) ?? []
    const theirs = this.#lookUp(name)
    const above = subsystem === undefined ? 0 : this.#lookUp(subsystem)
    const both = theirs === undefined || above === undefined ? undefined : (above << 8) | theirs
    this.findings.push({ what: `type of ${name}`, name, ours: type, theirs: both })
  }

  #constant(name: string, ours: number): void {
    if (!(name in NOT_IN_HEADERS) && !name.endsWith("_BYTES")) {
      this.findings.push({ what: name, name, ours, theirs: this.#lookUp(name) })
    }
  }

  #lookUp(name: string): number | undefined {
    for (const one of CONSTANT_HEADERS) {
      const value = this.#read(one).numbers.get(name)
      if (value !== undefined) {
        return value
      }
    }
    return undefined
  }

  #codec(codec: Codec<unknown>): void {
    if (this.#seen.has(codec)) {
      return
    }
    this.#seen.add(codec)
    const { table } = codec as { readonly table?: AttrTable }
    if (table !== undefined) {
      const source = SETS[codec.name]
      if (source === undefined) {
        throw new Error(`test/wire/conformance.ts does not say where the numbers of "${codec.name}" come from`)
      }
      const types = Object.fromEntries(Object.entries(table).map(([key, { type }]) => [key, type]))
      if (source !== "no numbers") {
        this.#numbers(codec.name, types, source)
      }
      for (const [key, attr] of Object.entries(table)) {
        this.#names(`${codec.name}.${key}`, attr.codec as Codec<unknown>)
        this.#codec(attr.codec as Codec<unknown>)
      }
    }
    for (const member of Object.values(codec.members ?? {})) {
      this.#codec(member)
    }
  }

  #names(what: string, { names }: Codec<unknown>): void {
    if (names === undefined) {
      return
    }
    const source = NAMES[what]
    if (source === undefined) {
      throw new Error(`test/wire/conformance.ts does not say where the names of "${what}" come from`)
    }
    if (source !== "not in the headers") {
      this.#numbers(what, names, source)
    }
  }

  #numbers(what: string, ours: Readonly<Record<string, number>>, { header: file, prefix, except }: Source): void {
    const { numbers } = this.#read(file)
    for (const [key, number] of Object.entries(ours)) {
      const name = except?.[key] ?? `${prefix}${capitals(key)}`
      this.findings.push({ what: `${what}.${key}`, name, ours: number, theirs: numbers.get(name) })
    }
  }

  #struct(codec: StructCodec<StructFields>): void {
    if (this.#seen.has(codec)) {
      return
    }
    this.#seen.add(codec)
    const source = STRUCTS[codec.name]
    if (source === undefined) {
      throw new Error(`test/wire/conformance.ts does not say where struct "${codec.name}" is`)
    }
    const sizes = Object.values(codec.fields).map(({ bytes }) => bytes)
    const name = codec.name === "inet_diag" ? "inet_diag_req_v2" : codec.name
    const theirs = this.#read(source.header).structs.get(name)
    sizes.forEach((size, index) => {
      this.findings.push({ what: `field ${index} of ${codec.name}`, name, ours: size, theirs: theirs?.fields[index] })
    })
    if (source.fields === undefined) {
      this.findings.push({ what: `size of ${codec.name}`, name, ours: codec.bytes, theirs: theirs?.bytes })
      this.findings.push({ what: `fields of ${codec.name}`, name, ours: sizes.length, theirs: theirs?.fields.length })
    }
    for (const [key, field] of Object.entries(codec.fields)) {
      this.#names(`${codec.name}.${key}`, field)
    }
  }
}

/** "stpState" is STP_STATE; what is in capitals already stays. */
function capitals(key: string): string {
  return key === key.toUpperCase() ? key : key.replaceAll(/[A-Z]/g, "_$&").toUpperCase()
}

function isKind(value: unknown): value is Kind {
  return typeof value === "object" && value !== null && "header" in value && "attrs" in value && "type" in value
}

function isCodec(value: unknown): value is Codec<unknown> {
  return typeof value === "object" && value !== null && "size" in value && "write" in value && "read" in value
}
