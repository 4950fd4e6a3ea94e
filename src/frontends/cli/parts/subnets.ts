// --subnet, --gateway, --ip-range and --reserve: as often as a network has subnets. Which subnet a gateway, range or
// reserved address belongs to is seen from the address.

import { parseIp } from "#inet/ip.ts"
import { type Prefix, parsePrefix, prefixContains, prefixWithin } from "#inet/prefix.ts"
import { quote } from "#model/quote.ts"
import type { SubnetRequest } from "#model/request.ts"
import type { Given, Options, Origins, Positionals, RefuseAt } from "../command.ts"
import { text, type Value } from "../value.ts"

/** Docker writes NAME=ADDRESS for an address to leave out; the name meant nothing there either. */
const reservedAddress: Value<string> = {
  metavar: "ADDRESS",
  read: (written, refuse) => text("ADDRESS").read(written.slice(written.indexOf("=") + 1), refuse),
}

export const SUBNETS = {
  subnet: {
    kind: "many",
    value: text("PREFIX"),
    about: "A subnet of the network, IPv4 or IPv6, such as 10.89.0.0/24; a free one is picked when there is none",
  },
  gateway: {
    kind: "many",
    value: text("ADDRESS"),
    about: "The gateway of the subnet that holds it; its first address by default",
  },
  "ip-range": { kind: "many", value: text("PREFIX"), about: "The part of a subnet that automatic addresses come from" },
  reserve: {
    kind: "many",
    value: reservedAddress,
    aliases: ["aux-address"],
    about: "An address that is never given to a container",
  },
} as const satisfies Options

type SubnetValues = Given<typeof SUBNETS, Positionals>["options"]

interface Draft {
  readonly written: string
  readonly prefix: Prefix | undefined
  gateway?: string
  range?: string
  readonly reserved: string[]
}

export function readSubnets(options: SubnetValues, refuse: RefuseAt): readonly SubnetRequest[] {
  const drafts: Draft[] = options.subnet.map((written) => ({ written, prefix: parsePrefix(written), reserved: [] }))
  for (const gateway of options.gateway) {
    place(drafts, "--gateway", gateway, refuse, (draft) => {
      if (draft.gateway !== undefined) {
        refuse("--gateway", `${gateway} is the second gateway of ${draft.written}, after ${draft.gateway}`)
      }
      draft.gateway = gateway
    })
  }
  for (const range of options["ip-range"]) {
    place(drafts, "--ip-range", range, refuse, (draft) => {
      if (draft.range !== undefined) {
        refuse("--ip-range", `${range} is the second range of ${draft.written}, after ${draft.range}`)
      }
      draft.range = range
    })
  }
  for (const address of options.reserve) {
    place(drafts, "--reserve", address, refuse, (draft) => draft.reserved.push(address))
  }
  return drafts.map(({ written, gateway, range, reserved }) => ({
    prefix: written,
    ...(gateway === undefined ? {} : { gateway }),
    ...(range === undefined ? {} : { range }),
    ...(reserved.length === 0 ? {} : { reserved }),
  }))
}

/** @param field the request's: "subnets" or "addSubnets". */
export function subnetOrigins(field: string, options: SubnetValues): Origins {
  return {
    [field]: "--subnet",
    ...Object.fromEntries(
      options.subnet.flatMap((_, i) => [
        [`${field}[${i}]`, "--subnet"],
        [`${field}[${i}].gateway`, "--gateway"],
        [`${field}[${i}].range`, "--ip-range"],
        [`${field}[${i}].reserved`, "--reserve"],
      ]),
    ),
  }
}

function place(
  drafts: readonly Draft[],
  option: string,
  written: string,
  refuse: RefuseAt,
  put: (draft: Draft) => void,
): void {
  const [only] = drafts
  if (only === undefined) {
    refuse(option, `${written} belongs to no subnet; give the --subnet too`)
    return
  }
  const home = drafts.find((draft) => draft.prefix !== undefined && holds(draft.prefix, written))
  // Whatever is wrong with the one subnet there is, or with this, the engine says it better.
  if (home !== undefined || drafts.length === 1) {
    put(home ?? only)
    return
  }
  if (drafts.every((draft) => draft.prefix !== undefined)) {
    const readable = parseIp(written) !== undefined || parsePrefix(written) !== undefined
    refuse(
      option,
      readable
        ? `${written} lies in none of the subnets ${drafts.map((draft) => draft.written).join(", ")}`
        : `${quote(written)} is not ${option === "--ip-range" ? "a prefix" : "an address"}`,
    )
  }
}

function holds(subnet: Prefix, written: string): boolean {
  const ip = parseIp(written)
  const prefix = parsePrefix(written)
  return (ip !== undefined && prefixContains(subnet, ip)) || (prefix !== undefined && prefixWithin(prefix, subnet))
}
