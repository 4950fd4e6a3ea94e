import { describe, expect, test } from "bun:test"
import type { Ip } from "#inet/ip.ts"
import { type Prefix, parsePrefix } from "#inet/prefix.ts"
import { notHostOf, senselessPrefix } from "./subnet-sense.ts"

describe("senselessPrefix()", () => {
  test.each([
    ["0.0.0.0/8", 'means "this network" (RFC 1122 §3.2.1.3)'],
    ["127.0.0.0/8", "is loopback (RFC 1122 §3.2.1.3)"],
    ["169.254.0.0/16", "is link-local: hosts choose such addresses themselves (RFC 3927)"],
    ["224.0.0.0/4", "is multicast (RFC 5771)"],
    ["255.255.255.255/32", "is the broadcast address (RFC 919)"],
    ["::/8", "holds loopback and embedded IPv4 addresses (RFC 4291 §2.5)"],
    ["fe80::/10", "is link-local: every interface has it already (RFC 4291 §2.5.6)"],
    ["fec0::/10", "is site-local, which RFC 3879 took out of use; fd00::/8 replaces it"],
    ["ff00::/8", "is multicast (RFC 4291 §2.7)"],
  ])("%s, exactly as it is written in the table, %s", (text, want) => {
    expect(parsePrefix(text)).toBe(text as Prefix)
    expect(senselessPrefix(text as Prefix)).toBe(want)
  })

  test.each([
    ["0.0.0.0/0", "overlaps 0.0.0.0/8"],
    ["127.1.0.0/16", "overlaps 127.0.0.0/8, which is loopback"],
    ["169.254.7.0/24", "overlaps 169.254.0.0/16"],
    ["239.1.0.0/16", "overlaps 224.0.0.0/4"],
    ["255.255.255.0/24", "overlaps 255.255.255.255/32"],
    ["64:ff9b::/96", "overlaps ::/8"],
    ["fe80::/64", "overlaps fe80::/10"],
    ["::/0", "overlaps ::/8"],
    ["10.0.0.0/7", "is too large: /8"],
    ["fc00::/7", "is too large: /16"],
    ["10.0.0.1/32", "is one address: a gateway and one container need at least a /31"],
    ["fd00::1/128", "is one address: a gateway and one container need at least a /127"],
  ])("%s %s", (text, want) => {
    expect(senselessPrefix(text as Prefix)).toStartWith(want)
  })

  test.each([
    "10.0.0.0/8",
    "10.89.0.0/24",
    "10.89.0.0/31",
    "192.0.2.0/24",
    "100.64.0.0/10",
    "240.0.0.0/8",
    "1.0.0.0/8",
    "fd00::/16",
    "fd00:1::/64",
    "fd00::/127",
    "2001:db8::/32",
    "fc00::/16",
  ])("%s is fine", (text) => {
    expect(senselessPrefix(text as Prefix)).toBeUndefined()
  })
})

test.each([
  ["10.0.0.0/24", "10.0.0.1", undefined],
  ["10.0.0.0/24", "10.0.0.254", undefined],
  ["10.0.0.0/24", "10.0.0.0", "is the network address of subnet 10.0.0.0/24"],
  ["10.0.0.0/24", "10.0.0.255", "is the broadcast address of subnet 10.0.0.0/24"],
  ["10.0.0.0/24", "10.0.1.1", "is not in subnet 10.0.0.0/24"],
  ["10.0.0.0/24", "fd00::1", "is not in subnet 10.0.0.0/24"],
  ["10.0.0.0/31", "10.0.0.0", undefined],
  ["10.0.0.0/31", "10.0.0.1", undefined],
  ["fd00::/64", "fd00::", "is the subnet-router anycast address of subnet fd00::/64 (RFC 4291 §2.6.1)"],
  ["fd00::/64", "fd00::ffff:ffff:ffff:ffff", undefined],
])("in %s, %s %p", (prefix, ip, want) => {
  expect(notHostOf(prefix as Prefix, ip as Ip)).toBe(want as string)
})
