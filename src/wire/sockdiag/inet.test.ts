// What the goldens (test/fixtures/wire/sock-diag-*.hex) cannot show: this kernel may have no SCTP.

import { expect, test } from "bun:test"
import { decodeAttributes } from "../nlmsg.ts"
import { Window } from "../window.ts"
import { SOCKETS, socketIp } from "./inet.ts"

const hex = (text: string): Uint8Array => Uint8Array.fromHex(text.replaceAll(/\s/g, ""))

const LISTENER = hex(`
  0a 0a 00 00
  1f90 0000
  00000000 00000000 00000000 00000000
  00000000 00000000 00000000 00000000
  00000000 e8030000 00000000
  00000000 00000000 80000000 00000000 39300000
`)

test("SCTP lists every address of an endpoint, each in a struct sockaddr_storage", () => {
  const four = hex(`0200 1f90 c0000201 ${"00".repeat(120)}`)
  const six = hex(`0a00 1f90 00000000 20010db8000000000000000000000001 ${"00".repeat(104)}`)
  // INET_DIAG_LOCALS, 4 + 2 * 128 bytes.
  const locals = Uint8Array.of(4, 1, 12, 0, ...four, ...six)
  const { socket } = decodeAttributes(SOCKETS, Window.of(Uint8Array.of(...LISTENER, ...locals), "socket"))
  expect(socket).toMatchObject({ port: 8080, inode: 12345 })
  expect(socket?.attrs.locals).toEqual(["192.0.2.1", "2001:db8::1"] as never)
})

test("an IPv4-mapped address is the IPv4 address that it is", () => {
  expect(socketIp(10, hex("00000000 00000000 0000ffff c0000201"))).toBe("192.0.2.1" as never)
  expect(socketIp(2, hex("c0000201 00000000 00000000 00000000"))).toBe("192.0.2.1" as never)
  expect(socketIp(10, new Uint8Array(16))).toBe("::" as never)
})
