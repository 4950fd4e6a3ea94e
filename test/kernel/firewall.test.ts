// The ruleset in a kernel: that libnftables reads and prints what linkspan writes and reads, that every promise holds
// with br_netfilter off and on, and that each rule is there for one of them. Needs root.

import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { rulesFingerprint } from "#plan/firewall/fingerprint.ts"
import { parseListing } from "#plan/firewall/listing.ts"
import { elementIdentity, renderTransaction } from "#plan/firewall/render.ts"
import { baseRuleset, removeRuleset } from "#plan/firewall/ruleset.ts"
import type { NftElement } from "#plan/op.ts"
import { describeNeeds, needs } from "../features.ts"
import { type FirewallLab, SILENCE_S } from "./firewall-lab.ts"
import { buildTown, PROMISES, sctpPromise } from "./firewall-promises.ts"
import { REASONS, ruleNames, withoutRule } from "./firewall-rules.ts"

const SETUP_MS = 60_000
const CHECK_MS = 20_000

test("every rule has its reason", () => {
  expect(Object.keys(REASONS)).toEqual(ruleNames())
})

for (const bridgeNetfilter of [0, 1] as const) {
  const features = [
    "root",
    "ipv6",
    "nft-bridge",
    ...(bridgeNetfilter === 1 ? (["br-netfilter"] as const) : []),
  ] as const
  describeNeeds(...features)(`with br_netfilter ${bridgeNetfilter === 0 ? "off" : "on"}`, () => {
    let lab: FirewallLab
    beforeAll(async () => {
      lab = await buildTown(bridgeNetfilter)
    }, SETUP_MS)
    afterAll(() => lab?.[Symbol.asyncDispose](), SETUP_MS)

    const here = ({ only }: { readonly only?: 0 | 1 }): boolean => only === undefined || only === bridgeNetfilter

    for (const { name, check } of PROMISES.filter(here)) {
      test(name, async () => expect(await check(lab)).toEqual([]), CHECK_MS)
    }

    needs("sctp")("a published SCTP port shows the container the client's own address", async () => {
      expect(await sctpPromise(lab)).toEqual([])
    })

    test("what is published, changed and taken back is in force at once", async () => {
      const published = (port: number): NftElement => ({
        table: "inet",
        set: "published4",
        key: "tcp . 8200",
        value: `10.89.1.3 . ${port}`,
      })
      const answer = async (): Promise<string | undefined> =>
        (await lab.ask("neighbour", [{ to: "192.0.2.1", port: 8200 }])).map(({ text, error }) => text ?? error)[0]
      expect(await answer()).toBe("ECONNREFUSED")
      lab.change({ add: [published(80)] })
      expect(await answer()).toBe("b:80 sees 192.0.2.2")
      lab.change({ add: [published(81)], del: [published(80)] })
      expect(await answer()).toBe("b:81 sees 192.0.2.2")
      lab.change({ del: [published(81)] })
      expect(await answer()).toBe("ECONNREFUSED")
    })

    describe("libnftables", () => {
      const wanted = (): string[] => lab.elements.map(elementIdentity).sort()

      for (const flags of ["-s", "-n", "-a"]) {
        test(`prints every element as linkspan writes it, with ${flags}`, () => {
          expect(
            parseListing(lab.exec("host", "nft", flags, "list", "ruleset"))
              .map(elementIdentity)
              .sort(),
          ).toEqual(wanted())
        })
      }

      test("prints one set alike", () => {
        const listing = lab.exec("host", "nft", "list", "map", "inet", "linkspan", "published4_at")
        expect(parseListing(listing).map(elementIdentity).sort()).toEqual(
          wanted().filter((line) => line.startsWith("inet published4_at ")),
        )
      })

      test("prints the rules as linkspan writes them", () => {
        expect(rulesFingerprint(lab.exec("host", "nft", "list", "ruleset"))).toBe(rulesFingerprint(baseRuleset()))
      })

      test("takes the rules anew without losing an element", () => {
        lab.exec("host", "nft", "flush", "chain", "inet", "linkspan", "forward")
        expect(rulesFingerprint(lab.exec("host", "nft", "list", "ruleset"))).not.toBe(rulesFingerprint(baseRuleset()))
        lab.nft(baseRuleset())
        expect(rulesFingerprint(lab.exec("host", "nft", "list", "ruleset"))).toBe(rulesFingerprint(baseRuleset()))
        expect(
          parseListing(lab.exec("host", "nft", "list", "ruleset"))
            .map(elementIdentity)
            .sort(),
        ).toEqual(wanted())
      })

      test("adds what is there, and deletes by key alone", () => {
        lab.nft(renderTransaction({ add: lab.elements, del: [] }))
        lab.nft(renderTransaction({ add: [], del: lab.elements }))
        expect(parseListing(lab.exec("host", "nft", "list", "ruleset"))).toEqual([])
        lab.reload()
      })

      test("removes the tables, there or not, and nothing else", () => {
        lab.nft("table inet theirs { set s { type ipv4_addr; }; }")
        lab.nft(removeRuleset())
        lab.nft(removeRuleset())
        expect(lab.exec("host", "nft", "list", "tables")).toBe("table inet theirs\n")
        lab.nft("delete table inet theirs")
        lab.reload()
      })
    })

    describe("without the rule", () => {
      // What shall fail here needs no patience.
      beforeAll(() => {
        lab.patience = SILENCE_S
      })
      for (const [rule, { breaks }] of Object.entries(REASONS).filter(([, { only = 0 }]) => only === bridgeNetfilter)) {
        test(
          `${rule} ✗ ${breaks}`,
          async () => {
            const promise = PROMISES.find(({ name }) => name === breaks)
            lab.reload((ruleset) => withoutRule(ruleset, rule))
            try {
              expect(await promise?.check(lab)).not.toEqual([])
            } finally {
              lab.reload()
            }
          },
          CHECK_MS,
        )
      }
    })
  })
}
