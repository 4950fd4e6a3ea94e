// firewalld: a zone with linkspan's bridges and two policies that let it forward, firewalld.policies(5). The zone keeps
// the default target: what containers may reach on the host itself is opened there by hand, service by service
// (firewall-cmd --zone=linkspan --add-service=…). linkspan's own table decides what may enter a bridge.
//
// Zones and policies can only be made permanently and come into force with a reload, which drops whatever was set at
// runtime only; so with such settings nothing is done, and the user is told.

import type { ForeignFilter } from "#kernel/foreign-firewall.ts"
import { LinkspanError } from "#model/errors.ts"
import { iptablesPattern } from "#plan/firewall/interface-rule.ts"
import { ownerOf, refusal } from "#plan/firewall/obstacle.ts"
import type { Situation } from "../foreign-refusals.ts"
import { ask, hasFrontEnd, isInstalled, step } from "./front-end.ts"
import type { Integration, Step } from "./integration.ts"

const COMMAND = "firewall-cmd"
const ZONE = "linkspan"
const POLICIES = [
  { name: "linkspan-out", from: ZONE, to: "ANY" },
  { name: "linkspan-in", from: "ANY", to: ZONE },
] as const

export const firewalld: Integration = {
  owner: "firewalld",
  isAvailable: (host) => hasFrontEnd(host, COMMAND),
  isInPlace: (_host, situation) => {
    const filters = firewalldFilters(situation)
    return (
      filters.length > 0 &&
      filters.every(
        ({ chain, reader }) =>
          chain.siblings.some((name) => name.includes(POLICIES[0].name)) &&
          refusal(chain, reader, situation.traffic) === undefined,
      )
    )
  },
  put: (_host, situation, record) => {
    const bridges = interfaces(situation)
    return {
      steps: putSteps(bridges),
      record: {
        where: `zone ${ZONE}, policies ${POLICIES.map(({ name }) => name).join(" and ")}`,
        items: [...new Set([...(record?.items ?? []), ...bridges])],
      },
    }
  },
  take: (host) => {
    if (!isInstalled(host, COMMAND)) {
      return []
    }
    return ask(runtime("--state"), { mayFail: true }) === undefined ? takeOffline() : takeSteps()
  },
  prune: (host, situation, record) => {
    const needed = new Set(interfaces(situation))
    const gone = record.items.filter((name) => !needed.has(name))
    return {
      steps: gone.length > 0 && isInstalled(host, COMMAND) ? gone.flatMap(removeInterface) : [],
      record: { ...record, items: record.items.filter((name) => needed.has(name)) },
    }
  },
}

function interfaces({ traffic }: Situation): string[] {
  return traffic.bridges.map(({ ifname }) => iptablesPattern(ifname))
}

function firewalldFilters({ filters }: Situation): ForeignFilter[] {
  return filters.filter(({ chain }) => ownerOf(chain) === "firewalld")
}

const permanent = (...options: readonly string[]): string[] => [COMMAND, "--permanent", ...options]
const runtime = (...options: readonly string[]): string[] => [COMMAND, ...options]

// ── What firewalld has ──────────────────────────────────────────────────────────────────────────────────────────────

/** A zone's or policy's settings as `--list-all-…` prints them. */
interface Block {
  readonly name: string
  readonly interfaces: readonly string[]
  /** Everything but its interfaces: which zone an interface is in is often NetworkManager's to know, and survives a reload. */
  readonly settings: string
}

interface Settings {
  readonly zones: readonly Block[]
  readonly policies: readonly Block[]
}

type Command = (...options: readonly string[]) => string[]

function settingsOf(command: Command): Settings {
  return {
    zones: blocks(ask(command("--list-all-zones")) ?? ""),
    policies: blocks(ask(command("--list-all-policies")) ?? ""),
  }
}

function blocks(listing: string): Block[] {
  return listing
    .split(/\n(?=\S)/)
    .filter((text) => text.trim() !== "")
    .map((text) => {
      const [head = "", ...lines] = text.trimEnd().split("\n")
      const of = /^ {2}interfaces: *(.*)$/
      const interfaces = lines.map((line) => of.exec(line)?.[1]).find((names) => names !== undefined) ?? ""
      return {
        name: head.replace(/ \([a-z, ]+\)$/, ""),
        interfaces: interfaces.split(/\s+/).filter((name) => name !== ""),
        settings: lines.filter((line) => line.trim() !== "" && !of.test(line)).join("\n"),
      }
    })
}

function find(settings: readonly Block[], name: string): Block | undefined {
  return settings.find((block) => block.name === name)
}

// ── What is to be done ──────────────────────────────────────────────────────────────────────────────────────────────

function putSteps(bridges: readonly string[]): Step[] {
  const kept = settingsOf(permanent)
  const active = settingsOf(runtime)
  const zone = `--zone=${ZONE}`
  const running = find(active.zones, ZONE)
  const reload = running === undefined || POLICIES.some(({ name }) => find(active.policies, name) === undefined)
  if (reload && isUnsaved(kept, active)) {
    throw new LinkspanError("NOT_SUPPORTED", {
      message:
        "Cannot integrate with firewalld: it has settings that are not permanent, and would lose them in the reload that this needs",
      hint: "Keep them with: firewall-cmd --runtime-to-permanent (or drop them with: firewall-cmd --reload), then run: linkspan firewall integrate",
    })
  }
  const missing = (block: Block | undefined): string[] =>
    bridges.filter((name) => block?.interfaces.includes(name) !== true)
  return [
    ...(find(kept.zones, ZONE) === undefined
      ? [step(permanent(`--new-zone=${ZONE}`), permanent(`--delete-zone=${ZONE}`))]
      : []),
    ...missing(find(kept.zones, ZONE)).map((name) =>
      step(permanent(zone, `--add-interface=${name}`), permanent(zone, `--remove-interface=${name}`)),
    ),
    ...POLICIES.filter(({ name }) => find(kept.policies, name) === undefined).flatMap(policySteps),
    ...(reload
      ? [step(runtime("--reload"))]
      : missing(running).map((name) => step(runtime(zone, `--add-interface=${name}`)))),
  ]
}

function policySteps({ name, from, to }: (typeof POLICIES)[number]): Step[] {
  const policy = `--policy=${name}`
  return [
    step(permanent(`--new-policy=${name}`), permanent(`--delete-policy=${name}`)),
    step(permanent(policy, `--add-ingress-zone=${from}`)),
    step(permanent(policy, `--add-egress-zone=${to}`)),
    step(permanent(policy, "--set-target=ACCEPT")),
  ]
}

function removeInterface(name: string): Step[] {
  const option = [`--zone=${ZONE}`, `--remove-interface=${name}`]
  return [step(runtime(...option)), step(permanent(...option))]
}

/** A firewalld that does not run has only its files. */
function takeOffline(): Step[] {
  const offline: Command = (...options) => ["firewall-offline-cmd", ...options]
  return deleteSteps(offline, settingsOf(offline))
}

/**
 * Interfaces are taken out of the running zone first, which works at once; the rest goes with a reload, now or, where
 * that would lose something, at the next one.
 */
function takeSteps(): Step[] {
  const kept = settingsOf(permanent)
  const active = settingsOf(runtime)
  const running = find(active.zones, ZONE)
  return [
    ...(running?.interfaces ?? []).map((name) => step(runtime(`--zone=${ZONE}`, `--remove-interface=${name}`))),
    ...deleteSteps(permanent, kept),
    ...(running === undefined || isUnsaved(kept, active) ? [] : [step(runtime("--reload"))]),
  ]
}

function deleteSteps(command: Command, { zones, policies }: Settings): Step[] {
  return [
    ...POLICIES.filter(({ name }) => find(policies, name) !== undefined).map(({ name }) =>
      step(command(`--delete-policy=${name}`)),
    ),
    ...(find(zones, ZONE) === undefined ? [] : [step(command(`--delete-zone=${ZONE}`))]),
  ]
}

// ── Settings that a reload would lose ───────────────────────────────────────────────────────────────────────────────

const DIRECT = ["--get-all-chains", "--get-all-rules", "--get-all-passthroughs"]

/** Whether something is in force that is not kept, linkspan's own zone and policies aside. */
function isUnsaved(kept: Settings, active: Settings): boolean {
  return (
    comparable(kept.zones) !== comparable(active.zones) ||
    comparable(kept.policies) !== comparable(active.policies) ||
    DIRECT.some(
      (list) =>
        ask(runtime("--direct", list), { mayFail: true }) !== ask(permanent("--direct", list), { mayFail: true }),
    )
  )
}

function comparable(settings: readonly Block[]): string {
  const ours = new Set<string>([ZONE, ...POLICIES.map(({ name }) => name)])
  return settings
    .filter(({ name }) => !ours.has(name))
    .map((block) => `${block.name}\n${block.settings}`)
    .toSorted()
    .join("\n")
}
