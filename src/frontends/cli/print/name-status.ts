// `linkspan dns status`.

import type { NameServing } from "#model/view.ts"
import { bytes, count, group } from "./humanise.ts"
import { type Look, paint } from "./look.ts"

export function nameStatusText(status: NameServing | null, look: Look): string {
  if (status === null) {
    return "No process answers names: the first container on a network with names starts one\n"
  }
  const { pid, runningS, memoryBytes, servers, containers, gateways, counters, kept, active } = status
  const said = ([number, what]: readonly [number, string]): string =>
    `  ${paint(look, "bold", group(String(number)).padStart(11))}  ${what}`
  return `${[
    `process ${pid}, for ${duration(runningS)}, ${bytes(memoryBytes)}`,
    `answers at ${count(containers, "container")} and ${count(gateways, "gateway address")}`.replace(
      "addresss",
      "addresses",
    ),
    `asks ${servers.join(", ")} where nobody else is named`,
    ...(
      [
        [counters.queries, "questions"],
        [counters.local, "answered by linkspan itself"],
        [counters.cached, "answered with what a server said before"],
        [
          counters.forwarded,
          `forwarded to servers, ${group(String(active))} of them now; ${group(String(kept))} answers kept`,
        ],
        [counters.failed, "of those answered by no server"],
        [counters.refused, "refused"],
        [counters.malformed, "malformed"],
      ] as const
    ).map(said),
  ].join("\n")}\n`
}

function duration(seconds: number): string {
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ]
  return days > 0
    ? `${days} d ${hours} h`
    : hours > 0
      ? `${hours} h ${minutes} min`
      : minutes > 0
        ? `${minutes} min`
        : `${seconds} s`
}
