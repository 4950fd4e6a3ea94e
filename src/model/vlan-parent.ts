// Parents of the form "eth0.10": an 802.1Q interface that is made on eth0 when the host does not have it.

import { type Ifname, parseIfname } from "./name.ts"

export interface VlanParent {
  readonly link: Ifname
  /** 1–4094 (IEEE 802.1Q §9.6: 0 and 4095 are reserved). */
  readonly id: number
}

/** `undefined` when the name does not say a VLAN. */
export function parseVlanParent(parent: Ifname): VlanParent | undefined {
  const [, name = "", digits = ""] = /^(.+)\.([1-9][0-9]{0,3})$/.exec(parent) ?? []
  const link = parseIfname(name)
  const id = Number(digits)
  return link === undefined || id < 1 || id > 4094 ? undefined : { link, id }
}
