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
  isAvailable: (host) => hasFrontEnd(host, COMMAND) && ask([COMMAND, "--state"], { mayFail: true }) !== undefined,
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
  take: (host) =>
    isInstalled(host, COMMAND) ? takeSteps(ask([COMMAND, "--state"], { mayFail: true }) !== undefined) : [],
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

function names(command: readonly string[]): string[] {
  return (ask(command, { mayFail: true }) ?? "").split(/\s+/).filter((name) => name !== "")
}

function putSteps(bridges: readonly string[]): Step[] {
  const zone = `--zone=${ZONE}`
  const zoneKept = names(permanent("--get-zones")).includes(ZONE)
  const kept = zoneKept ? names(permanent(zone, "--list-interfaces")) : []
  const policiesKept = names(permanent("--get-policies"))
  const active = names(runtime("--get-zones")).includes(ZONE) ? names(runtime(zone, "--list-interfaces")) : undefined
  const policiesActive = names(runtime("--get-policies"))
  const reload = active === undefined || POLICIES.some(({ name }) => !policiesActive.includes(name))
  const steps = [
    ...(zoneKept
      ? []
      : [
          step(permanent(`--new-zone=${ZONE}`), permanent(`--delete-zone=${ZONE}`)),
          step(
            permanent(zone, "--set-description=Bridges of linkspan's networks; made by: linkspan firewall integrate"),
          ),
        ]),
    ...bridges
      .filter((bridge) => !kept.includes(bridge))
      .map((bridge) =>
        step(permanent(zone, `--add-interface=${bridge}`), permanent(zone, `--remove-interface=${bridge}`)),
      ),
    ...POLICIES.filter(({ name }) => !policiesKept.includes(name)).flatMap(policySteps),
    ...(reload
      ? [step(runtime("--reload"))]
      : bridges
          .filter((bridge) => !active.includes(bridge))
          .map((bridge) => step(runtime(zone, `--add-interface=${bridge}`)))),
  ]
  if (reload) {
    refuseUnsaved()
  }
  return steps
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

/**
 * Interfaces are taken out of the running zone first, which works at once; the rest goes with a reload, now or at the
 * next one. A firewalld that does not run has only its files.
 */
function takeSteps(running: boolean): Step[] {
  const zone = `--zone=${ZONE}`
  const kept = running ? permanent : (...options: readonly string[]): string[] => ["firewall-offline-cmd", ...options]
  const active = running && names(runtime("--get-zones")).includes(ZONE)
  const policies = names(kept("--get-policies"))
  return [
    ...(active
      ? names(runtime(zone, "--list-interfaces")).map((name) => step(runtime(zone, `--remove-interface=${name}`)))
      : []),
    ...POLICIES.filter(({ name }) => policies.includes(name)).map(({ name }) => step(kept(`--delete-policy=${name}`))),
    ...(names(kept("--get-zones")).includes(ZONE) ? [step(kept(`--delete-zone=${ZONE}`))] : []),
    ...(active && unsaved().length === 0 ? [step(runtime("--reload"))] : []),
  ]
}

// ── Settings that a reload would lose ───────────────────────────────────────────────────────────────────────────────

const LISTS = ["--list-all-zones", "--list-all-policies"]
const DIRECT = ["--get-all-chains", "--get-all-rules", "--get-all-passthroughs"]

/** The lists in which what is in force is not what is kept, linkspan's own zone and policies aside. */
function unsaved(): string[] {
  return [
    ...LISTS.filter((list) => settingsIn(ask(runtime(list)) ?? "") !== settingsIn(ask(permanent(list)) ?? "")),
    ...DIRECT.filter(
      (list) =>
        ask(runtime("--direct", list), { mayFail: true }) !== ask(permanent("--direct", list), { mayFail: true }),
    ),
  ]
}

/** Which interfaces are in which zone survives a reload, and is often known to NetworkManager alone. */
function settingsIn(list: string): string {
  return list
    .split(/\n(?=\S)/)
    .map((block) =>
      block
        .replace(/ \((?:active|default|active, default|default, active)\)$/m, "")
        .replace(/^ {2}interfaces:.*$/m, "")
        .trim(),
    )
    .filter((block) => block !== "" && !/^linkspan(?:-in|-out)?\n/.test(block))
    .toSorted()
    .join("\n")
}

function refuseUnsaved(): void {
  if (unsaved().length > 0) {
    throw new LinkspanError("NOT_SUPPORTED", {
      message:
        "Cannot integrate with firewalld: it has settings that are not permanent, and would lose them in the reload that this needs",
      hint: "Keep them with: firewall-cmd --runtime-to-permanent (or drop them with: firewall-cmd --reload), then run: linkspan firewall integrate",
    })
  }
}
