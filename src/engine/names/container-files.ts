// resolv.conf, hosts and hostname of a container that linkspan starts: files of the run directory, mounted over the
// container's own. They are written in place, so that a running container sees what changes.

import { closeFile, exists, O_PATH, openFile, pathOf } from "#kernel/file.ts"
import type { Bind } from "#kernel/root.ts"
import { hasFailed } from "#kernel/syscall.ts"
import { dnsOf } from "#model/dns.ts"
import type { Endpoint, Sandbox } from "#model/sandbox.ts"
import type { Change } from "#store/journal.ts"
import type { Host } from "../host.ts"
import { CONTAINER_ADDRESS, servesNames } from "./container-address.ts"
import { hostsText, resolverText } from "./file-texts.ts"

const FILES = ["resolv.conf", "hosts", "hostname"] as const
const READABLE = 0o644

/** Writes the files of a container that is about to start, and says where they go. None when it shall see its root's own. */
export function containerFiles(host: Host, sandbox: Sandbox, endpoints: readonly Endpoint[], root: string): Bind[] {
  const directory = host.containerDir(sandbox.sharedWith ?? sandbox.id)
  if (sandbox.mode === "private" && (host.names || sandbox.dns !== undefined)) {
    write(host, sandbox, endpoints)
  }
  return FILES.filter((name) => exists(`${directory}/${name}`)).map((name) => ({
    source: `${directory}/${name}`,
    target: targetOf(name, root),
  }))
}

/** With systemd-resolved and others, the host's resolv.conf is a link; what is mounted on it lands where it leads. */
function targetOf(name: (typeof FILES)[number], root: string): string {
  const path = `/etc/${name}`
  const fd = root === "/" ? openFile(path, O_PATH) : -1
  if (fd < 0 || hasFailed(fd)) {
    return path
  }
  try {
    return pathOf(fd)
  } finally {
    closeFile(fd)
  }
}

/** After a change: containers that have joined or left a network. */
export function refreshContainerFiles(host: Host, changes: readonly Change[]): void {
  const touched = new Set(
    changes.flatMap((change) => (change.object === "endpoint" ? ((change.after ?? change.before)?.sandbox ?? []) : [])),
  )
  for (const id of touched) {
    const sandbox = host.store.sandbox(id)?.body
    if (sandbox?.process !== undefined && exists(`${host.containerDir(id)}/hosts`)) {
      write(
        host,
        sandbox,
        host.store.endpointsOfSandbox(id).map(({ body }) => body),
      )
    }
  }
}

function write(host: Host, sandbox: Sandbox, endpoints: readonly Endpoint[]): void {
  const networks = endpoints.flatMap(({ network }) => host.store.network(network)?.body ?? [])
  const named = host.names && networks.some((network) => dnsOf(network).enabled)
  const leases = endpoints.flatMap(({ lease }) => lease ?? [])
  const own = sandbox.dns?.servers ?? []
  const servers = !named
    ? own.length > 0
      ? own
      : leases.flatMap(({ dnsServers }) => dnsServers)
    : sandbox.dns?.resolver === false || endpoints.some(servesNames)
      ? endpoints.flatMap(({ gateways }) => gateways)
      : [CONTAINER_ADDRESS]
  // Loaded here, since few of the commands that come by have anything to write.
  const { chmodSync, closeSync, ftruncateSync, openSync, readFileSync, writeSync, constants } =
    process.getBuiltinModule("node:fs")
  const hostText = (): string => {
    try {
      return readFileSync("/etc/resolv.conf", "utf8")
    } catch {
      return ""
    }
  }
  const texts = {
    "resolv.conf": resolverText({
      servers,
      dns: sandbox.dns,
      domains: leases.flatMap(({ domain }) => domain ?? []),
      named,
      host: hostText(),
    }),
    hosts: hostsText(sandbox, endpoints),
    hostname: `${sandbox.hostname}\n`,
  }
  for (const name of FILES) {
    const path = `${host.containerDir(sandbox.id)}/${name}`
    const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW, READABLE)
    try {
      const bytes = Buffer.from(texts[name])
      // Whoever reads meanwhile sees the old end behind the new beginning rather than nothing.
      writeSync(fd, bytes, 0, bytes.length, 0)
      ftruncateSync(fd, bytes.length)
    } finally {
      closeSync(fd)
    }
    chmodSync(path, READABLE)
  }
}
