// Docker: rules in its chain DOCKER-USER, through libnftables, in the form that iptables-nft lists.

import type { ForeignFilter } from "#kernel/foreign-firewall.ts"
import { NftError } from "#kernel/nftables.ts"
import { LinkspanError } from "#model/errors.ts"
import {
  DOCKER_USER,
  dockerUserRules,
  dockerUserTransaction,
  includesRules,
  namedDockerBridges,
  ownRules,
} from "#plan/firewall/docker-user.ts"
import type { InterfaceRule } from "#plan/firewall/interface-rule.ts"
import { ownerOf } from "#plan/firewall/obstacle.ts"
import { shellWords } from "#plan/shell-words.ts"
import type { Situation } from "../foreign-refusals.ts"
import type { Host } from "../host.ts"
import { defaultRouteLink } from "../observe-host.ts"
import type { Integration, Step } from "./integration.ts"

export const docker: Integration = {
  owner: "docker",
  isAvailable: () => true,
  isInPlace: (host, situation) => {
    const tables = dockerTables(situation).filter(
      ({ chain, reader }) => ownRules(reader.rules(DOCKER_USER)).length > 0 || isRefused(situation, chain),
    )
    return (
      tables.length > 0 &&
      tables.every((filter) => includesRules(filter.reader.rules(DOCKER_USER), wantedRules(host, situation, filter)))
    )
  },
  put: (host, situation, record) => {
    const names = new Set(record?.items)
    const tables = dockerTables(situation).filter(
      ({ chain }) => names.has(tableName(chain)) || isRefused(situation, chain),
    )
    const items = [...new Set([...names, ...tables.map(({ chain }) => tableName(chain))])].toSorted()
    return {
      steps: transactionSteps(host, tables, (filter) => wantedRules(host, situation, filter)),
      record: { where: describe(items), items },
    }
  },
  take: (host, situation) => transactionSteps(host, dockerTables(situation), () => []),
  prune: (host, situation, record) => ({
    steps: transactionSteps(
      host,
      dockerTables(situation).filter(({ reader }) => ownRules(reader.rules(DOCKER_USER)).length > 0),
      (filter) => wantedRules(host, situation, filter),
    ),
    record,
  }),
}

/** Docker's filter tables in nf_tables that have its hook. */
function dockerTables({ filters }: Situation): ForeignFilter[] {
  return filters.filter(
    ({ chain }) => chain.backend === "nftables" && ownerOf(chain) === "docker" && chain.siblings.includes(DOCKER_USER),
  )
}

function isRefused({ refusals }: Situation, chain: ForeignFilter["chain"]): boolean {
  return refusals.some(({ filter }) => filter.chain === chain)
}

function tableName({ family, table }: ForeignFilter["chain"]): string {
  return `${family} ${table}`
}

function describe(items: readonly string[]): string {
  return `chain "${DOCKER_USER}" of ${items.length === 1 ? "table" : "tables"} ${items.join(" and ")}`
}

function wantedRules(host: Host, { traffic }: Situation, { chain, reader }: ForeignFilter): InterfaceRule[] {
  const bridges = traffic.bridges.map(({ ifname }) => ifname)
  return dockerUserRules(bridges, namedDockerBridges(chain, reader), traffic.peer ?? defaultRouteLink(host)?.ifname)
}

/** All tables in one transaction. */
function transactionSteps(
  host: Host,
  tables: readonly ForeignFilter[],
  wanted: (filter: ForeignFilter) => readonly InterfaceRule[],
): Step[] {
  const text = tables
    .map((filter) => {
      const { family, table } = filter.chain
      return family === "ip" || family === "ip6"
        ? dockerUserTransaction(family, table, filter.reader.rules(DOCKER_USER), wanted(filter))
        : ""
    })
    .join("")
  const lines = text.split("\n").filter((line) => line !== "")
  return lines.map((line, index) => ({
    line: `nft ${shellWords([line])}`,
    run: () => {
      if (index === 0) {
        run(host, text)
      }
    },
  }))
}

function run(host: Host, text: string): void {
  try {
    host.nftables.run(text)
  } catch (error) {
    if (!(error instanceof NftError)) {
      throw error
    }
    throw new LinkspanError("KERNEL_REFUSED", {
      message: `Cannot change Docker's chain "${DOCKER_USER}": ${error.message.split("\n")[0]}`,
      hint: "Docker may be changing it right now; run the command again",
      details: { transaction: text },
      cause: error,
    })
  }
}
