// Readers for addresses, prefixes and MACs that say what exactly is wrong with the text.

import { type Ip, isLinkLocal, isLoopback, isMulticast, isUnspecified, parseIp } from "#inet/ip.ts"
import { isMulticastMac, type Mac, parseMac } from "#inet/mac.ts"
import { type Prefix, parseInterface, parsePrefix, prefixOf } from "#inet/prefix.ts"
import { type Field, readText, refuse } from "./field.ts"
import { quote } from "./quote.ts"

export function readIp(field: Field): Ip | undefined {
  const text = readText(field)
  return text === undefined
    ? undefined
    : (parseIp(text) ?? refuse(field, `${quote(text)} is not an address: ${whyNotIp(text)}`))
}

/** The first reason that applies; every text that {@link parseIp} refuses has one. */
function whyNotIp(text: string): string {
  if (text.includes("/")) {
    return "an address has no /LENGTH"
  }
  if (text.includes("%")) {
    return "an address with a zone (%…) means something on one interface only"
  }
  if (/^::ffff:/i.test(text)) {
    return "IPv4-mapped IPv6 names an IPv4 host; write the IPv4 address"
  }
  if (/^[0-9.]+$/.test(text) && /(^|\.)0[0-9]/.test(text)) {
    return "a leading zero could mean octal; leave it out"
  }
  return "write IPv4 as 10.89.0.2 or IPv6 as fd00::2"
}

export function readPrefix(field: Field): Prefix | undefined {
  const text = readText(field)
  if (text === undefined) {
    return undefined
  }
  const prefix = parsePrefix(text)
  if (prefix !== undefined) {
    return prefix
  }
  const parsed = parseInterface(text)
  if (parsed !== undefined) {
    return refuse(
      field,
      `${quote(text)} has bits set beyond /${parsed.length}; the subnet is ${prefixOf(parsed.ip, parsed.length)}`,
    )
  }
  return refuse(field, `${quote(text)} is not a subnet; write ADDRESS/LENGTH, as in 10.89.0.0/24 or fd00:1234::/64`)
}

/** An address that one host may have: no multicast, loopback, link-local or unspecified one. */
export function readHostIp(field: Field, whose = "a container's"): Ip | undefined {
  const ip = readIp(field)
  const what = ip === undefined ? undefined : whyNotHost(ip)
  return what === undefined ? ip : refuse(field, `${ip} cannot be ${whose} address: it is ${what}`)
}

function whyNotHost(ip: Ip): string | undefined {
  if (isUnspecified(ip)) {
    return "the unspecified address"
  }
  if (isMulticast(ip)) {
    return "a multicast address"
  }
  if (isLoopback(ip)) {
    return "a loopback address"
  }
  if (isLinkLocal(ip)) {
    return "a link-local address"
  }
  return ip === "255.255.255.255" ? "the broadcast address" : undefined
}

export function readMac(field: Field): Mac | undefined {
  const text = readText(field)
  if (text === undefined) {
    return undefined
  }
  const mac = parseMac(text)
  if (mac === undefined) {
    return refuse(field, `${quote(text)} is not a MAC address; write six bytes, as in 02:00:0a:59:00:02`)
  }
  if (isMulticastMac(mac)) {
    return refuse(field, `${mac} is a multicast MAC address (its first byte is odd); an interface has a unicast one`)
  }
  // is_valid_ether_addr() in include/linux/etherdevice.h.
  return mac === "00:00:00:00:00:00" ? refuse(field, `${mac} is no address; the kernel refuses it`) : mac
}
