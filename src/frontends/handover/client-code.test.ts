import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { LOST_MARK } from "#model/call.ts"
import { CLIENT_CODE, SOURCE_SHA256 } from "./client-code.ts"

test("client-code.ts was made from the client.c beside it", () => {
  const source = readFileSync(new URL("client.c", import.meta.url))
  const hash = new Bun.CryptoHasher("sha256").update(source).digest("hex")
  expect(SOURCE_SHA256, "run `bun scripts/build-native.ts`").toBe(hash)
})

test("every architecture's has what it shares with the rest of the program", () => {
  for (const { base64 } of Object.values(CLIENT_CODE)) {
    const code = Buffer.from(base64, "base64")
    expect(code.includes(`${LOST_MARK.name}=${LOST_MARK.value}\0`)).toBe(true)
    expect(code.includes('"supportedVersions":["0.3.0"')).toBe(true)
  }
})
