import { unitFile } from "../systemd-unit.ts"
import { SMALL_HEAP } from "./program.ts"

/** A unit file for a host on which names are answered from its start on, by a process of their own. */
export function systemdUnit(): string {
  return unitFile({
    description: "linkspan: names of containers",
    args: ["dns", "serve"],
    // Sockets in the namespaces of containers, and at port 53.
    capabilities: ["NET_ADMIN", "NET_BIND_SERVICE", "NET_RAW", "SYS_ADMIN", "SYS_PTRACE", "DAC_READ_SEARCH"],
    service: [
      ...Object.entries(SMALL_HEAP).map(([name, value]) => `Environment=${name}=${value}`),
      "# No ProtectHome= and the like: namespaces of containers are files below /run/user too.",
    ],
  })
}
