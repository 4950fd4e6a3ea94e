import { expect, test } from "bun:test"
import { withoutProtocolNames } from "./nftables.ts"

test.each([
  ["meta l4proto tcp counter reject with tcp reset", "meta l4proto 6 counter reject with tcp reset"],
  ["meta l4proto != tcp jump special", "meta l4proto != 6 jump special"],
  ["meta l4proto { tcp, udp, sctp } fib daddr", "meta l4proto { 6, 17, 132 } fib daddr"],
  [
    "meta l4proto vmap { udp : jump rogue_udp, ipv6-icmp : jump rogue_icmp6 }",
    "meta l4proto vmap { 17 : jump rogue_udp, 58 : jump rogue_icmp6 }",
  ],
  ["dnat ip to ip daddr . meta l4proto . th dport map @published4_at", undefined],
  ["udp sport { 67, 547 } drop", undefined],
  ["icmpv6 type echo-request accept", undefined],
  [
    "add element inet linkspan published4_at { 192.0.2.1 . udp . 53 : 10.89.0.2 . 5353 }",
    "add element inet linkspan published4_at { 192.0.2.1 . 17 . 53 : 10.89.0.2 . 5353 }",
  ],
])("withoutProtocolNames() of %p", (text, want) => {
  expect(withoutProtocolNames(text)).toBe(want ?? text)
})
