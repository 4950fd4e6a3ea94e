import { describe, expect, test } from "bun:test"
import { dockerUserRules, dockerUserTransaction, includesRules, namedDockerBridges } from "./docker-user.ts"
import type { FilterReader, ForeignRule, Instruction } from "./foreign-filter.ts"
import { type InterfaceRule, iptablesText, nftText, readInterfaceRule } from "./interface-rule.ts"

const IFNAMSIZ = 16

/** A rule as the kernel gives it back. */
function rule(
  of: InterfaceRule | { readonly to: string; readonly jump: string },
  handle = 0n,
  comment?: string,
): ForeignRule {
  const name = (field: "iifname" | "oifname", text: string | undefined): Instruction[] => {
    if (text === undefined) {
      return []
    }
    const whole = new Uint8Array(IFNAMSIZ)
    whole.set(new TextEncoder().encode(text))
    const bytes = text.endsWith("*") ? whole.slice(0, text.length - 1) : whole
    return [
      { kind: "load", to: 16, field },
      { kind: "compare", from: 16, bytes, equal: true },
    ]
  }
  return {
    instructions: [
      ...name("iifname", "from" in of ? of.from : undefined),
      ...name("oifname", of.to),
      { kind: "verdict", verdict: "jump" in of ? { kind: "jump", chain: of.jump } : { kind: of.verdict } },
    ],
    handle,
    ...(comment === undefined ? {} : { comment }),
  }
}

const lines = (rules: readonly InterfaceRule[]): string[] => rules.map(iptablesText)

describe("dockerUserRules()", () => {
  test("leaves what is between linkspan and Docker to Docker, and accepts the rest", () => {
    expect(lines(dockerUserRules(["ls-*"], [], "eth0"))).toEqual([
      "-i ls-+ -o docker+ -j RETURN",
      "-i docker+ -o ls-+ -j RETURN",
      "-i ls-+ -o br-+ -j RETURN",
      "-i br-+ -o ls-+ -j RETURN",
      "-i ls-+ -j ACCEPT",
      "-o ls-+ -j ACCEPT",
    ])
  })

  test("knows an uplink, and a bridge of linkspan's, that only look like Docker's", () => {
    const rules = lines(dockerUserRules(["ls-*", "br-web"], [], "br-ex"))
    expect(rules.indexOf("-i ls-+ -o br-ex -j ACCEPT")).toBeLessThan(rules.indexOf("-i ls-+ -o br-+ -j RETURN"))
    expect(rules.indexOf("-i ls-+ -o br-web -j ACCEPT")).toBeLessThan(rules.indexOf("-i ls-+ -o br-+ -j RETURN"))
    expect(rules).toContain("-i br-web -j ACCEPT")
    expect(new Set(rules).size).toBe(rules.length)
  })

  test("treats Docker's bridges with names of their own like the others, and never opens one", () => {
    const rules = lines(dockerUserRules(["ls-*", "shop"], ["shop", "lab"], "eth0"))
    expect(rules).toContain("-i ls-+ -o lab -j RETURN")
    expect(rules).toContain("-i ls-+ -o shop -j RETURN")
    expect(rules).not.toContain("-i shop -j ACCEPT")
  })
})

test("namedDockerBridges() finds them where Docker sends packets to its published ports", () => {
  const rules: Record<string, readonly ForeignRule[]> = {
    FORWARD: [rule({ to: "docker0", jump: "DOCKER" }), rule({ to: "lab", jump: "OTHER" })],
    "DOCKER-BRIDGE": [rule({ to: "shop", jump: "DOCKER" }), rule({ to: "br-0123456789ab", jump: "DOCKER" })],
  }
  const reader: FilterReader = { rules: (chain) => rules[chain] ?? [], elements: () => [] }
  expect(namedDockerBridges({ siblings: ["FORWARD", "DOCKER-BRIDGE"] }, reader)).toEqual(["shop"])
})

test("readInterfaceRule() reads what nftText() writes, and nothing that asks more", () => {
  for (const one of dockerUserRules(["ls-*", "br-web"], ["lab"], "br-ex")) {
    expect(readInterfaceRule(rule(one))).toEqual(one)
    expect(nftText(one)).toMatch(/^(iifname "[^"]+" ?)?(oifname "[^"]+")? ?counter (accept|return) comment "linkspan"$/)
  }
  const { instructions } = rule({ from: "ls-*", verdict: "accept" })
  expect(readInterfaceRule({ instructions: [{ kind: "unknown" }, ...instructions] })).toBeUndefined()
  expect(readInterfaceRule({ instructions: instructions.slice(0, -1) })).toBeUndefined()
})

describe("dockerUserTransaction()", () => {
  const wanted: readonly InterfaceRule[] = [{ from: "ls-*", verdict: "accept" }]
  const end: ForeignRule = { instructions: [{ kind: "verdict", verdict: { kind: "return" } }], handle: 9n }
  const users = rule({ from: "eth1", verdict: "accept" }, 3n)
  const ours = rule({ from: "ls-*", verdict: "accept" }, 5n, "linkspan")
  const stale = rule({ from: "old0", verdict: "accept" }, 6n, "linkspan")
  const text = 'iifname "ls-*" counter accept comment "linkspan"'

  const CASES: readonly { readonly name: string; readonly rules: readonly ForeignRule[]; readonly want: string }[] = [
    { name: "an empty chain", rules: [], want: `add rule ip filter DOCKER-USER ${text}\n` },
    { name: "the user's rules", rules: [users], want: `add rule ip filter DOCKER-USER ${text}\n` },
    {
      name: "the RETURN of old Dockers",
      rules: [users, end],
      want: `insert rule ip filter DOCKER-USER handle 9 ${text}\n`,
    },
    { name: "all in place", rules: [users, ours, end], want: "" },
    {
      name: "one too many",
      rules: [ours, stale, end],
      want: `delete rule ip filter DOCKER-USER handle 5\ndelete rule ip filter DOCKER-USER handle 6\ninsert rule ip filter DOCKER-USER handle 9 ${text}\n`,
    },
  ]
  for (const { name, rules, want } of CASES) {
    test(`with ${name}`, () => {
      expect(dockerUserTransaction("ip", "filter", rules, wanted)).toBe(want)
    })
  }

  test("takes only its own away", () => {
    expect(dockerUserTransaction("ip6", "filter", [users, ours, end], [])).toBe(
      "delete rule ip6 filter DOCKER-USER handle 5\n",
    )
  })

  test("counts rules as there when more are, but not in another order", () => {
    expect(includesRules([ours, stale], wanted)).toBe(true)
    expect(includesRules([stale], wanted)).toBe(false)
    expect(includesRules([users], [{ from: "eth1", verdict: "accept" }])).toBe(false)
  })
})
