import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { NATIVE_CODE, SOURCE_SHA256 } from "./native-code.ts"

test("native-code.ts was made from the native.c beside it", () => {
  const source = readFileSync(new URL("native.c", import.meta.url))
  const hash = new Bun.CryptoHasher("sha256").update(source).digest("hex")
  expect(SOURCE_SHA256, "run `bun scripts/build-native.ts`").toBe(hash)
})

test("every architecture has the same entries, inside its code", () => {
  for (const { base64, entries } of [NATIVE_CODE.x64, NATIVE_CODE.arm64]) {
    expect(Object.keys(entries)).toEqual(Object.keys(NATIVE_CODE.x64.entries))
    for (const offset of Object.values(entries)) {
      expect(offset).toBeLessThan(Buffer.from(base64, "base64").length)
    }
  }
})
