import { expect, test } from "bun:test"
import { ownerComment, parseOwner } from "./owner.ts"

test("parseOwner() reads what ownerComment() writes", () => {
  const owner = { id: "0123456789ab", directory: "/var/lib/link span" }
  expect(parseOwner(ownerComment(owner))).toEqual(owner)
  expect(parseOwner(ownerComment({ ...owner, rules: "1a2b3c4d" }))).toEqual({ ...owner, rules: "1a2b3c4d" })
  expect(parseOwner("somebody's own words")).toBeUndefined()
  expect(parseOwner("")).toBeUndefined()
})

test("ownerComment() fits between nft's quotes, whatever the directory is called", () => {
  for (const directory of [
    '/x"; flush ruleset; "',
    "/x\\",
    "/x\n}",
    "/ü",
    `/${"y".repeat(4000)}`,
    `/${"ü".repeat(4000)}`,
  ]) {
    const comment = ownerComment({ id: "0123456789ab", directory, rules: "1a2b3c4d" })
    expect(comment).not.toMatch(/["\\\n]/)
    expect(Buffer.byteLength(comment)).toBeLessThan(128)
  }
})
