import { expect, test } from "bun:test"
import { counted, readPrefix, withoutTelling } from "./refusal.ts"
import { baseRuleset } from "./ruleset.ts"

test("every rule that counts tells of its packets, under the chain in which it stands", () => {
  let chain = ""
  const prefixes: string[] = []
  for (const line of baseRuleset().split("\n")) {
    chain = line.match(/^\tchain (\S+) \{$/)?.[1] ?? chain
    const [, counter] = line.match(/counter name "(\w+)"/) ?? []
    if (counter !== undefined) {
      expect(line).toContain(counted(counter, chain))
      prefixes.push(`${chain} ${counter}`)
    }
    if (/\b(drop|reject)\b/.test(line) && !/policy|#/.test(line)) {
      expect(line).toContain("log prefix")
    }
  }
  expect(prefixes.length).toBeGreaterThan(15)
  expect(prefixes.map(readPrefix)).toContainEqual({ chain: "guard_arp", reason: "spoofed_arp" })
  // NF_LOG_PREFIXLEN, with the zero.
  expect(Math.max(...prefixes.map(({ length }) => length))).toBeLessThan(128)
})

test("without telling, the rules refuse and count the same", () => {
  const quiet = withoutTelling(baseRuleset())
  expect(quiet).not.toContain("log ")
  expect(quiet.split("\n")).toHaveLength(baseRuleset().split("\n").length)
  expect(quiet).toContain('\t\toifname @bridges counter name "unpublished" drop\n')
})
