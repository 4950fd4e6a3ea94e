// Unit files for the processes that systemd may supervise (systemd.service(5)).

import { selfCommand } from "./names/program.ts"

export interface Unit {
  readonly description: string
  /** This program's arguments. */
  readonly args: readonly string[]
  readonly capabilities: readonly string[]
  /** Lines of [Service] that only this one has. */
  readonly service: readonly string[]
}

export function unitFile({ description, args, capabilities, service }: Unit): string {
  return `[Unit]
Description=${description}
After=network.target

[Service]
Type=notify
ExecStart=${[...selfCommand(), ...args].map(escaped).join(" ")}
Restart=on-failure
CapabilityBoundingSet=${capabilities.map((name) => `CAP_${name}`).join(" ")}
NoNewPrivileges=yes
${service.map((line) => `${line}\n`).join("")}
[Install]
WantedBy=multi-user.target
`
}

/** "Command lines": percent signs and dollars mean something; quotes hold blanks together. */
function escaped(word: string): string {
  const text = word.replace(/[\\"]/g, "\\$&").replaceAll("%", "%%").replaceAll("$", "$$$$")
  return /\s/.test(word) ? `"${text}"` : text
}

export function residentUnit(args: readonly string[]): string {
  return unitFile({
    description: "linkspan: container networks",
    args: ["daemon", ...args],
    // What commands need: links and rules, namespaces of containers, packets for a trace, other users' files.
    capabilities: [
      "NET_ADMIN",
      "NET_BIND_SERVICE",
      "NET_RAW",
      "SYS_ADMIN",
      "SYS_PTRACE",
      "DAC_OVERRIDE",
      "DAC_READ_SEARCH",
      "KILL",
    ],
    service: [
      "# Without it everything else works as before, and names are answered by a process of their own, which stays.",
      "KillMode=process",
      "# Not in a mount namespace of its own (ProtectHome= and the like): paths must mean what they mean to callers.",
    ],
  })
}
