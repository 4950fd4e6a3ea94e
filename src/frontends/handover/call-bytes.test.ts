import { expect, test } from "bun:test"
import fc from "fast-check"
import { decodeCall, encodeAnswer, LONGEST_CALL, sizeOfCall } from "./call-bytes.ts"

/** As client.c writes it. */
function callOf(parts: {
  strings: readonly string[]
  counts: readonly number[]
  input: string
  size?: number
}): Buffer {
  const text = Buffer.from(parts.strings.map((each) => `${each}\0`).join("") + parts.input)
  const head = Buffer.alloc(24, "CALL")
  for (const [index, value] of [parts.size ?? 24 + text.length, 42, ...parts.counts].entries()) {
    head.writeUInt32LE(value, 4 + 4 * index)
  }
  return Buffer.concat([head, text])
}

const word = fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\0", ""))
const name = word.map((text) => `V${text.replaceAll("=", "")}`)

test("decodeCall() gives what was written, and sizeOfCall() how long it is from its beginning", () => {
  fc.assert(
    fc.property(fc.array(word), fc.dictionary(name, word), word, (args, env, input) => {
      const strings = ["linkspan", "/tmp", ...args, ...Object.entries(env).map(([key, value]) => `${key}=${value}`)]
      const counts = [args.length, Object.keys(env).length, Buffer.byteLength(input)]
      const bytes = callOf({ strings, counts, input })
      expect(sizeOfCall(bytes.subarray(0, 24))).toBe(bytes.length)
      expect(sizeOfCall(bytes.subarray(0, 23))).toBeUndefined()
      expect(decodeCall(bytes)).toEqual({ pid: 42, door: "linkspan", directory: "/tmp", args, env: { ...env }, input })
    }),
  )
})

test("whatever comes is a call, the beginning of one, or an error that says so", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, isCall) => {
      const bytes = Buffer.concat([Buffer.from(isCall ? "CALL" : ""), noise])
      try {
        const size = sizeOfCall(bytes)
        if (size !== undefined && size <= bytes.length) {
          decodeCall(bytes.subarray(0, size))
        }
      } catch (error) {
        expect((error as Error).message).toMatch(/^this is no call$|^a call/)
      }
    }),
  )
})

test("one that is longer than the other end takes is refused by its head", () => {
  expect(() => sizeOfCall(callOf({ strings: [], counts: [], input: "", size: LONGEST_CALL + 1 }))).toThrow("a call has")
})

test("encodeAnswer() counts bytes", () => {
  expect(encodeAnswer({ status: 6, out: "é", err: "no\n" }).toString("hex")).toBe(
    `${"06000000"}${"02000000"}${"03000000"}c3a96e6f0a`,
  )
  expect(encodeAnswer({ declined: "x" }).toString("hex")).toBe(`${"ffffffff"}${"00000000"}${"01000000"}78`)
})
