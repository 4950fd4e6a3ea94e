import { describe, expect, expectTypeOf, test } from "bun:test"
import fc from "fast-check"
import type { Ip } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import {
  attr,
  attributeSet,
  binary,
  bits,
  bool8,
  type Codec,
  flag,
  headed,
  type Infer,
  ip,
  mac,
  multi,
  named,
  oneOf,
  s32,
  selectBy,
  show,
  string,
  struct,
  u8,
  u16,
  u16be,
  u32,
  u32be,
  u64,
} from "./schema.ts"
import { decode, encode, hex } from "./testing/bytes.ts"
import { DecodeError } from "./window.ts"

const Inner = attributeSet("inner", { id: attr(1, u16), port: attr(2, u16be) })
const Peer = attributeSet("peer", { ifname: attr(3, string) })
const Header = struct("header", { family: u8, pad: u8, type: u16, index: s32 })

const Sample = attributeSet("set", {
  small: attr(1, u8),
  name: attr(2, string),
  on: attr(3, flag),
  bytes: attr(4, binary),
  inner: attr(5, Inner),
  addresses: attr(6, multi(ip)),
  groups: attr(7, multi(Inner)),
  kind: attr(8, string),
  data: attr(9, selectBy("kind", { one: Inner, other: Peer })),
  peer: attr(10, headed(Header, Peer)),
  mode: attr(11, oneOf(u16, { l2: 0, l3: 1 })),
  big: attr(12, u64),
  yes: attr(13, bool8),
  mac: attr(14, mac),
})
type Sample = Infer<typeof Sample>

describe("attributeSet()", () => {
  const CASES: readonly { readonly name: string; readonly value: Sample; readonly bytes: string }[] = [
    { name: "nothing", value: {}, bytes: "" },
    { name: "u8, padded by three", value: { small: 0xab }, bytes: "0500 0100 ab 000000" },
    {
      name: "a string with its zero, padded by one",
      value: { name: "ab" },
      bytes: "0700 0200 61 62 00 00",
    },
    { name: "a string that fills its words", value: { name: "abc" }, bytes: "0800 0200 61 62 63 00" },
    { name: "the empty string", value: { name: "" }, bytes: "0500 0200 00 000000" },
    { name: "text beyond ASCII", value: { name: "ö€" }, bytes: "0a00 0200 c3b6 e282ac 00 0000" },
    { name: "a flag, which has no payload", value: { on: true }, bytes: "0400 0300" },
    { name: "bytes", value: { bytes: hex("010203") }, bytes: "0700 0400 010203 00" },
    { name: "no bytes", value: { bytes: hex("") }, bytes: "0400 0400" },
    {
      name: "a nest, flagged as one, with a payload padded within",
      value: { inner: { id: 0x1234, port: 80 } },
      bytes: `
        1400 0580               # inner, NLA_F_NESTED
          0600 0100 3412 0000   # id, host order
          0600 0200 0050 0000   # port, network order`,
    },
    { name: "an empty nest", value: { inner: {} }, bytes: "0400 0580" },
    {
      name: "an attribute for each member of an array",
      value: { addresses: ["192.0.2.1" as Ip, "2001:db8::1" as Ip] },
      bytes: `
        0800 0600 c0000201
        1400 0600 20010db8000000000000000000000001`,
    },
    {
      name: "repeated nests",
      value: { groups: [{ id: 1 }, {}] },
      bytes: `
        0c00 0780
          0600 0100 0100 0000
        0400 0780`,
    },
    {
      name: "a payload by its sibling",
      value: { kind: "other", data: { ifname: "x" } },
      bytes: `
        0a00 0800 6f7468657200 0000   # kind "other"
        0c00 0980
          0600 0300 7800 0000         # ifname, not id`,
    },
    {
      name: "attributes behind a header",
      value: { peer: { header: { family: 0, pad: 0, type: 1, index: -2 }, attrs: { ifname: "x" } } },
      bytes: `
        1400 0a80
          00 00 0100 feffffff
          0600 0300 7800 0000`,
    },
    { name: "a named number", value: { mode: "l3" }, bytes: "0600 0b00 0100 0000" },
    { name: "a number without a name", value: { mode: 7 }, bytes: "0600 0b00 0700 0000" },
    { name: "u64", value: { big: 0x0102030405060708n }, bytes: "0c00 0c00 0807060504030201" },
    { name: "false", value: { yes: false }, bytes: "0500 0d00 00 000000" },
    { name: "a MAC", value: { mac: "02:42:ac:11:00:02" as Mac }, bytes: "0a00 0e00 0242ac110002 0000" },
    {
      name: "in the order of the table, whatever the value's",
      value: { name: "a", small: 1 },
      bytes: `
        0500 0100 01 000000
        0600 0200 6100 0000`,
    },
  ]

  test.each(CASES)("writes $name", ({ value, bytes }) => {
    expect(encode(Sample, value)).toEqual(hex(bytes))
  })

  test.each(CASES)("reads $name", ({ value, bytes }) => {
    expect(decode(Sample, hex(bytes))).toEqual(value)
  })

  test("says the exact size beforehand", () => {
    for (const { value, bytes } of CASES) {
      expect(Sample.size(value, undefined)).toBe(hex(bytes).length)
    }
  })

  test("needs no padding behind the last attribute", () => {
    expect(decode(Sample, hex("0500 0100 ab"))).toEqual({ small: 0xab })
  })

  test("does not need NLA_F_NESTED: the kernel leaves it out of old attributes", () => {
    expect(decode(Sample, hex("0c00 0500  0600 0100 0100 0000"))).toEqual({ inner: { id: 1 } })
  })

  test("takes the last of attributes that stand twice, as the kernel does", () => {
    expect(decode(Sample, hex("0500 0100 01 000000  0500 0100 02 000000"))).toEqual({ small: 2 })
  })

  test("writes no attribute for an empty array", () => {
    expect(encode(Sample, { addresses: [] })).toEqual(hex(""))
  })

  test("does not look at bytes outside its window", () => {
    const around = hex("ffffffff 0500 0100 ab 000000 ffffffff")
    expect(decode(Sample, around.subarray(4, 12))).toEqual({ small: 0xab })
  })
})

describe("attributes that no table lists", () => {
  const BYTES = `
    0500 0100 01 000000     # small
    0600 6300 aabb 0000     # 99
    0800 6480 0400 0100     # 100, a nest
    0400 6540               # 101, in network byte order, empty
    1000 0580               # inner
      0600 0100 0100 0000   # id
      0400 0a00             # 10`

  test("are kept with their flags, each in its set", () => {
    const { unknown, inner } = decode(Sample, hex(BYTES))
    expect(unknown?.map(({ type, flags, kept }) => [type, flags, kept.bytes.toHex()])).toEqual([
      [99, 0, "aabb"],
      [100, 0x8000, "04000100"],
      [101, 0x4000, ""],
    ])
    expect(inner?.id).toBe(1)
    expect(inner?.unknown).toHaveLength(1)
  })

  test("are written again, behind the known ones", () => {
    const again = encode(Sample, decode(Sample, hex(BYTES)))
    expect(again).toEqual(
      hex(`
        0500 0100 01 000000
        1000 0580  0600 0100 0100 0000  0400 0a00
        0600 6300 aabb 0000
        0800 6480 0400 0100
        0400 6540`),
    )
    expect(encode(Sample, decode(Sample, again))).toEqual(again)
  })

  test("stay what they were when the buffer is used again", () => {
    const buffer = hex("0600 6300 aabb 0000  0600 0400 cdef 0000")
    const value = decode(Sample, buffer)
    buffer.fill(0)
    expect(value.unknown?.[0]?.kept.bytes.toHex()).toBe("aabb")
    expect(value.bytes?.toHex()).toBe("cdef")
  })

  test("of a kind without a table are all there are", () => {
    const bytes = hex("0900 0800 626f6e6400 000000  0c00 0980  0600 0100 0700 0000")
    const value = decode(Sample, bytes)
    expect((value.data as { unknown?: readonly unknown[] }).unknown).toHaveLength(1)
    expect(encode(Sample, value)).toEqual(bytes)
  })

  test("of a payload that stands before its sibling as well", () => {
    const value = decode(Sample, hex("0c00 0980  0600 0300 7800 0000  0a00 0800 6f7468657200 0000"))
    expect(value.kind).toBe("other")
    expect(Object.keys(value.data ?? {})).toEqual(["unknown"])
  })
})

describe("reading bytes that do not fit", () => {
  const CASES = [
    ["a nest of one byte", "0500 0500 00 000000", "set.inner: 1 byte after the last attribute (offset 4)"],
    ["u16 of one byte", "0900 0580  0500 0100 07 000000", "set.inner.id: u16 needs 2 bytes, got 1 (offset 8)"],
    ["u8 of two bytes", "0600 0100 0100 0000", "set.small: u8 needs 1 byte, got 2 (offset 4)"],
    ["u64 of four bytes", "0800 0c00 01000000", "set.big: u64 needs 8 bytes, got 4 (offset 4)"],
    ["an address of five bytes", "0900 0600 0102030405", "set.addresses: ip needs 4 or 16 bytes, got 5 (offset 4)"],
    ["a header that is cut off", "0800 0a80 00000100", "set.peer: header needs 8 bytes, got 4 (offset 4)"],
    ["length 0", "0000 0100 01 000000", "set: attribute 1 claims 0 bytes of 8 (offset 0)"],
    ["length 3", "0500 0100 01 000000 0300 0200", "set: attribute 2 claims 3 bytes of 4 (offset 8)"],
    ["length 65535", "ffff 0500 01000000", "set: attribute 5 claims 65535 bytes of 8 (offset 0)"],
    [
      "more than the nest has",
      "0c00 0580  0a00 0100 0700 0000",
      "set.inner: attribute 1 claims 10 bytes of 8 (offset 4)",
    ],
    ["half a header at the end", "0500 0100 01 000000 0500", "set: 2 bytes after the last attribute (offset 8)"],
    [
      "behind a header",
      "1200 0a80 00000000 00000000  0900 0300 7800",
      "set.peer.attrs: attribute 3 claims 9 bytes of 6 (offset 12)",
    ],
  ] as const

  test.each(CASES)("%s", (_, bytes, message) => {
    let thrown: unknown
    try {
      decode(Sample, hex(bytes))
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(DecodeError)
    expect((thrown as DecodeError).message).toBe(message)
  })

  test("names the path and counts from the start of the message, also in a part of it", () => {
    const bytes = hex("ffffffff 0c00 0580  0500 0100 0700 0000")
    try {
      decode(Sample, bytes.subarray(4))
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ path: "set.inner.id", offset: 8, name: "DecodeError" })
    }
  })
})

describe("writing values that the format cannot hold", () => {
  const CASES: readonly (readonly [string, () => unknown])[] = [
    ["u8 cannot hold 256", () => encode(u8, 256)],
    ["u8 cannot hold -1", () => encode(u8, -1)],
    ["u16 cannot hold 65536", () => encode(u16, 65536)],
    ["u16be cannot hold 1.5", () => encode(u16be, 1.5)],
    ["u32 cannot hold 4294967296", () => encode(u32, 2 ** 32)],
    ["u32 cannot hold NaN", () => encode(u32, Number.NaN)],
    ["u32be cannot hold -1", () => encode(u32be, -1)],
    ["s32 cannot hold 2147483648", () => encode(s32, 2 ** 31)],
    ["u64 cannot hold -1", () => encode(u64, -1n)],
    ["u64 cannot hold 18446744073709551616", () => encode(u64, 2n ** 64n)],
    ["u16 cannot hold NaN", () => encode(oneOf(u16, { a: 1 }), "b" as never)],
    ['A zero-terminated string cannot hold "a\\u0000b"', () => encode(string, "a\0b")],
    ["Attribute 4 of set cannot hold 65532 bytes", () => encode(Sample, { bytes: new Uint8Array(65532) })],
  ]

  test.each(CASES)("%s", (message, act) => {
    expect(act).toThrow(new RangeError(message))
  })

  test("takes the largest attribute there is", () => {
    const { bytes } = decode(Sample, encode(Sample, { bytes: new Uint8Array(65531).fill(7) }))
    expect(bytes).toEqual(new Uint8Array(65531).fill(7))
  })
})

describe("codecs on their own", () => {
  const round = <T>(codec: Codec<T>, values: fc.Arbitrary<T>): void => {
    fc.assert(
      fc.property(values, (value) => {
        expect(decode(codec, encode(codec, value))).toEqual(value)
      }),
    )
  }

  test("every number goes round", () => {
    round(u8, fc.integer({ min: 0, max: 0xff }))
    round(u16, fc.integer({ min: 0, max: 0xffff }))
    round(u16be, fc.integer({ min: 0, max: 0xffff }))
    round(u32, fc.integer({ min: 0, max: 0xffff_ffff }))
    round(u32be, fc.integer({ min: 0, max: 0xffff_ffff }))
    round(s32, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))
    round(u64, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))
  })

  test("every text goes round, a byte order mark included", () => {
    round(
      string,
      fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0")),
    )
    expect(decode(string, encode(string, "\ufeffx"))).toBe("\ufeffx")
  })

  test("text ends at the zero or with the payload", () => {
    expect(decode(string, hex("6162 00 6364"))).toBe("ab")
    expect(decode(string, hex("6162"))).toBe("ab")
    expect(decode(string, hex("c3b6 00 ff"))).toBe("ö")
    expect(decode(string, hex(""))).toBe("")
  })

  test("byte order is what the name says", () => {
    expect(encode(u16, 0x0102)).toEqual(hex("0201"))
    expect(encode(u16be, 0x0102)).toEqual(hex("0102"))
    expect(encode(u32, 0x01020304)).toEqual(hex("04030201"))
    expect(encode(u32be, 0x01020304)).toEqual(hex("01020304"))
    expect(encode(s32, -2)).toEqual(hex("feffffff"))
  })

  test("any byte but zero is true", () => {
    expect([hex("00"), hex("01"), hex("80")].map((bytes) => decode(bool8, bytes))).toEqual([false, true, true])
  })

  test("a link-layer address of another length is no MAC", () => {
    expect(decode(mac, hex("c0000201"))).toBe("00:00:00:00:00:00" as Mac)
  })

  test("numbers without a name never stop a dump", () => {
    expect(decode(oneOf(u8, { down: 2 }), hex("02"))).toBe("down")
    expect(decode(oneOf(u8, { down: 2 }), hex("63"))).toBe(99)
  })
})

describe("struct()", () => {
  test("lays its fields out in order and aligns its end", () => {
    const NdMsg = struct("ndmsg", { family: u8, pad1: u8, pad2: u16, index: s32, state: u16, flags: u8, type: u8 })
    const Odd = struct("odd", { a: u32, b: u8 })
    expect([NdMsg.bytes, Odd.bytes]).toEqual([12, 8])
    const bytes = new Uint8Array(12)
    NdMsg.write(new DataView(bytes.buffer), 0, { family: 10, index: 7, flags: 8 })
    expect(bytes).toEqual(hex("0a 00 0000 07000000 0000 08 00"))
  })
})

describe("show()", () => {
  const CASES: readonly (readonly [string, Sample])[] = [
    ["small=1 name=eth0 on=true", { small: 1, name: "eth0", on: true }],
    ['name="two words"', { name: "two words" }],
    ["bytes=01ff", { bytes: hex("01ff") }],
    ["inner{id=1} groups{id=2} groups{}", { inner: { id: 1 }, groups: [{ id: 2 }, {}] }],
    ["kind=other data{ifname=x}", { kind: "other", data: { ifname: "x" } }],
    ["peer{index=3 ifname=x}", { peer: { header: { index: 3 }, attrs: { ifname: "x" } } }],
    ["mode=l3 big=5 yes=false", { mode: "l3", big: 5n, yes: false }],
  ]

  test.each(CASES)("%s", (text, value) => {
    expect(show(Sample, value, undefined)).toBe(text)
  })

  test("shows a few unlisted attributes, and counts many", () => {
    const one = "0600 6300 aabb 0000"
    expect(show(Sample, decode(Sample, hex(one)), undefined)).toBe("#99=aabb")
    expect(show(Sample, decode(Sample, hex(one.repeat(5))), undefined)).toBe("(5 more)")
  })

  test("names numbers and bits", () => {
    const Flags = bits(u32, { up: 1, running: 0x40 })
    expect([0, 1, 0x41, 0x80000040].map((value) => show(Flags, value, undefined))).toEqual([
      "0",
      "up",
      "up|running",
      "running|0x80000000",
    ])
    const Family = named(u8, { inet: 2 })
    expect([2, 3].map((value) => show(Family, value, undefined))).toEqual(["inet", "3"])
    expect(struct("s", { family: Family, flags: Flags }).show({ family: 2, flags: 0 })).toBe("family=inet")
  })
})

test("types are read off the table", () => {
  expectTypeOf<Sample["small"]>().toEqualTypeOf<number | undefined>()
  expectTypeOf<Sample["on"]>().toEqualTypeOf<true | undefined>()
  expectTypeOf<Sample["big"]>().toEqualTypeOf<bigint | undefined>()
  expectTypeOf<Sample["addresses"]>().toEqualTypeOf<readonly Ip[] | undefined>()
  expectTypeOf<Sample["mode"]>().toEqualTypeOf<"l2" | "l3" | number | undefined>()
  expectTypeOf<NonNullable<Sample["inner"]>["port"]>().toEqualTypeOf<number | undefined>()

  const good: Sample = { small: 1, inner: { id: 2 } }
  expect(Object.keys(good)).toEqual(["small", "inner"])
  // @ts-expect-error: no attribute of that name
  const wrongName: Sample = { smal: 1 }
  // @ts-expect-error: absent is absent, never undefined
  const undefinedValue: Sample = { small: undefined }
  // @ts-expect-error: a number is no name
  const wrongType: Sample = { name: 1 }
  // @ts-expect-error: what was read cannot be changed
  good.small = 2
  expect([wrongName, undefinedValue, wrongType]).toHaveLength(3)
})
