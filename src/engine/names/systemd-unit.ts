import { selfCommand } from "./program.ts"

/** A unit file for a host on which names are answered from its start on, by a process of their own (systemd.service(5)). */
export function systemdUnit(): string {
  return `[Unit]
Description=linkspan: names of containers
After=network.target

[Service]
Type=notify
ExecStart=${[...selfCommand(), "daemon"].map(escaped).join(" ")}
Restart=on-failure
# Sockets in the namespaces of containers, and at port 53.
CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_BIND_SERVICE CAP_NET_RAW CAP_SYS_ADMIN CAP_SYS_PTRACE CAP_DAC_READ_SEARCH
ProtectHome=yes
NoNewPrivileges=yes

[Install]
WantedBy=multi-user.target
`
}

/** systemd.service(5), "Command lines": percent signs and dollars mean something; quotes hold blanks together. */
function escaped(word: string): string {
  const text = word.replace(/[\\"]/g, "\\$&").replaceAll("%", "%%").replaceAll("$", "$$$$")
  return /\s/.test(word) ? `"${text}"` : text
}
