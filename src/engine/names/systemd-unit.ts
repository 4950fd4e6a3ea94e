import { unitFile } from "../systemd-unit.ts"

/** A unit file for a host on which names are answered from its start on, by a process of their own. */
export function systemdUnit(): string {
  return unitFile({
    description: "linkspan: names of containers",
    args: ["dns", "serve"],
    // Sockets in the namespaces of containers, and at port 53.
    capabilities: ["NET_ADMIN", "NET_BIND_SERVICE", "NET_RAW", "SYS_ADMIN", "SYS_PTRACE", "DAC_READ_SEARCH"],
    service: ["ProtectHome=yes"],
  })
}
