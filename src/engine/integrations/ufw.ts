// ufw: route rules, ufw(8) "RULE SYNTAX". ufw keeps them in its own files, so they outlive a reload and a reboot.

import type { ForeignFilter } from "#kernel/foreign-firewall.ts"
import { readInterfaceRule } from "#plan/firewall/interface-rule.ts"
import { hookChain, ownerOf, ufwRules } from "#plan/firewall/obstacle.ts"
import type { IfnamePattern } from "#plan/firewall/packets.ts"
import type { Situation } from "../foreign-refusals.ts"
import type { Host } from "../host.ts"
import { hasFrontEnd, isInstalled, step } from "./front-end.ts"
import type { Integration, Step } from "./integration.ts"

const UFW = "ufw"

export const ufw: Integration = {
  owner: "ufw",
  isAvailable: (host) => hasFrontEnd(host, UFW),
  isInPlace: (_host, situation) => ufwFilters(situation).length > 0 && missingRules(situation).length === 0,
  put: (_host, situation, record) => {
    const missing = missingRules(situation)
    return {
      steps: missing.map((rule) => step(routeCommand(rule), deleteCommand(rule))),
      // Only what was not there before: a rule that the user wrote stays when linkspan's go.
      record: { where: "ufw's route rules", items: [...new Set([...(record?.items ?? []), ...missing])] },
    }
  },
  take: (host, _situation, { items }) => takeSteps(host, items),
  prune: (host, situation, record) => {
    const needed = new Set(situation.traffic.bridges.flatMap(({ ifname }) => ufwRules(ifname)))
    return {
      steps: takeSteps(
        host,
        record.items.filter((rule) => !needed.has(rule)),
      ),
      record: { ...record, items: record.items.filter((rule) => needed.has(rule)) },
    }
  },
}

function ufwFilters({ filters }: Situation): ForeignFilter[] {
  return filters.filter(({ chain }) => ownerOf(chain) === "ufw")
}

/** The rules that some table does not have; ufw writes both families at once. */
function missingRules(situation: Situation): string[] {
  return situation.traffic.bridges.flatMap(({ ifname }) => {
    const [into = "", out = ""] = ufwRules(ifname)
    return [
      ...(ufwFilters(situation).every((filter) => accepts(filter, ifname, "from")) ? [] : [into]),
      ...(ufwFilters(situation).every((filter) => accepts(filter, ifname, "to")) ? [] : [out]),
    ]
  })
}

function accepts({ chain, reader }: ForeignFilter, bridge: IfnamePattern, side: "from" | "to"): boolean {
  const hook = hookChain(chain, "ufw")
  return (
    hook === undefined ||
    reader.rules(hook).some((rule) => {
      const found = readInterfaceRule(rule)
      return (
        found?.verdict === "accept" && found[side] === bridge && found[side === "from" ? "to" : "from"] === undefined
      )
    })
  )
}

/** Nothing when ufw has been removed, and its rules with it. Deleting a rule that is not there is no error to ufw. */
function takeSteps(host: Host, rules: readonly string[]): Step[] {
  return rules.length > 0 && isInstalled(host, UFW) ? rules.map((rule) => step(deleteCommand(rule))) : []
}

function routeCommand(rule: string): string[] {
  return [UFW, "route", ...rule.split(" "), "comment", "linkspan"]
}

function deleteCommand(rule: string): string[] {
  return [UFW, "route", "delete", ...rule.split(" ")]
}
