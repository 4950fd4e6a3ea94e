import { describe, expect, test } from "bun:test"
import { readChains, type XtChain, type XtFamily, type XtRule } from "./xtables.ts"

/** An entry by its parts, as iptables lays it out. */
function entry(
  family: XtFamily,
  target: { readonly name: string; readonly info: readonly number[] },
  more: {
    readonly from?: string
    readonly match?: { readonly name: string; readonly info: readonly number[] }
    readonly protocol?: number
  } = {},
): Uint8Array {
  const size = family === "ip" ? 112 : 168
  const place =
    family === "ip"
      ? { name: 16, mask: 48, protocol: 80, target: 88 }
      : { name: 64, mask: 96, protocol: 128, target: 140 }
  const extensions = [...(more.match === undefined ? [] : [more.match]), target].map(({ name, info }) => {
    const bytes = new Uint8Array(32 + info.length)
    new DataView(bytes.buffer).setUint16(0, bytes.length, true)
    bytes.set(new TextEncoder().encode(name), 2)
    bytes.set(info, 32)
    return bytes
  })
  const length = size + extensions.reduce((sum, one) => sum + one.length, 0)
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  const name = more.from ?? ""
  bytes.set(new TextEncoder().encode(name.replace("+", "")), place.name)
  bytes.fill(0xff, place.mask, place.mask + (name.endsWith("+") ? name.length - 1 : name === "" ? 0 : name.length + 1))
  view.setUint16(place.protocol, more.protocol ?? 0, true)
  view.setUint16(place.target, length - (extensions.at(-1)?.length ?? 0), true)
  view.setUint16(place.target + 2, length, true)
  let at = size
  for (const extension of extensions) {
    bytes.set(extension, at)
    at += extension.length
  }
  return bytes
}

const verdict = (value: number): { name: string; info: number[] } => ({
  name: "",
  info: [...new Uint8Array(Int32Array.of(value).buffer), 0, 0, 0, 0],
})

function table(entries: readonly Uint8Array[]): { readonly blob: Uint8Array; readonly offsets: readonly number[] } {
  const offsets: number[] = []
  const bytes: number[] = []
  for (const one of entries) {
    offsets.push(bytes.length)
    bytes.push(...one)
  }
  return { blob: Uint8Array.from(bytes), offsets }
}

const ERROR = (name: string): { name: string; info: number[] } => ({
  name: "ERROR",
  info: [...new TextEncoder().encode(name.padEnd(32, "\0"))],
})

/** FORWARD: three rules and a policy of drop; one chain of a user's. */
function sample(family: XtFamily): {
  readonly blob: Uint8Array
  readonly info: { forwardHook: number; forwardUnderflow: number; size: number }
} {
  const build = (jump: number): Uint8Array[] => [
    entry(family, verdict(-2)), // INPUT's policy
    entry(family, verdict(jump), { from: "ls-+" }),
    entry(family, verdict(-2), { from: "eth0", protocol: 6 }),
    entry(family, { name: "LOG", info: [0, 0, 0, 0] }, { match: { name: "limit", info: [1, 2, 3, 4] } }),
    entry(family, verdict(-1)), // FORWARD's policy
    entry(family, ERROR("OURS")),
    entry(family, verdict(-5)),
    entry(family, ERROR("ERROR")),
  ]
  const jump = table(build(0)).offsets[6] ?? 0
  const { blob, offsets } = table(build(jump))
  return { blob, info: { forwardHook: offsets[1] ?? 0, forwardUnderflow: offsets[4] ?? 0, size: blob.length } }
}

describe("readChains()", () => {
  for (const family of ["ip", "ip6"] as const) {
    test(`tells chains, rules and the policy of ${family} apart`, () => {
      const { blob, info } = sample(family)
      const name = (text: string): XtRule["from"] =>
        ({ bytes: new TextEncoder().encode(text), equal: true }) as XtRule["from"]
      const plain = { more: false, matches: [] }
      const want: XtChain[] = [
        {
          name: "FORWARD",
          rules: [
            { ...plain, from: name("ls-") as never, target: { kind: "jump", chain: "OURS" } },
            { ...plain, from: name("eth0\0") as never, more: true, target: { kind: "accept" } },
            {
              ...plain,
              matches: [{ name: "limit", revision: 0, info: Uint8Array.of(1, 2, 3, 4) }],
              target: { kind: "extension", name: "LOG" },
            },
            { ...plain, target: { kind: "drop" } },
          ],
        },
        { name: "OURS", rules: [{ ...plain, target: { kind: "return" } }] },
      ]
      expect(readChains(family, blob, info)).toEqual(want)
    })
  }

  test("answers or refuses, whatever it is given", () => {
    const { blob, info } = sample("ip")
    const attempt = (bytes: Uint8Array): void => {
      try {
        readChains("ip", bytes, info)
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
      }
    }
    for (let length = 0; length < blob.length; length++) {
      attempt(blob.slice(0, length))
    }
    for (let at = 0; at < blob.length; at++) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        const broken = blob.slice()
        broken[at] = value
        attempt(broken)
      }
    }
  })
})
