// Other people's firewall tools, running for real inside a test's host namespace with configuration of their own.

import { chmodSync, cpSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Host } from "../host.ts"
import type { Program } from "../netns.ts"
import { toolEnvironment, until } from "../run.ts"
import { unpacked } from "./debian-package.ts"

/** The environment in which the front end of a tool, found in PATH, is the one of this test. */
export interface Tool extends AsyncDisposable {
  readonly env: Readonly<Record<string, string | undefined>>
}

const PYTHON = "/usr/bin/python3"

/** Writes programs that hand over to others. */
function programs(host: Host, scripts: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const directory = host.file("bin")
  mkdirSync(directory, { recursive: true })
  for (const [name, command] of Object.entries(scripts)) {
    writeFileSync(join(directory, name), `#!/bin/sh\nexec ${command} "$@"\n`)
    chmodSync(join(directory, name), 0o755)
  }
  const env = toolEnvironment()
  return { ...env, PATH: `${directory}:${env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin"}` }
}

/** ufw with Debian's configuration, enabled: it denies what is routed. */
export async function startUfw(host: Host): Promise<Tool> {
  const files = await unpacked("ufw")
  const root = host.file("ufw")
  cpSync(join(files, "etc"), join(root, "etc"), { recursive: true })
  cpSync(join(files, "lib"), join(root, "lib"), { recursive: true })
  cpSync(join(files, "usr/share/ufw"), join(root, "usr/share/ufw"), { recursive: true })
  // What the package's installation does.
  cpSync(join(files, "usr/share/ufw/iptables"), join(root, "etc/ufw"), { recursive: true })
  for (const name of ["before.init", "after.init", "ufw.conf"]) {
    cpSync(join(files, "usr/share/ufw", name), join(root, "etc/ufw", name))
  }
  const modules = join(files, "usr/lib/python3/dist-packages")
  const env = programs(host, {
    ufw: `env PYTHONPATH=${modules} PYTHONDONTWRITEBYTECODE=1 ${PYTHON} ${join(files, "usr/sbin/ufw")} --rootdir=${root} --datadir=${root}`,
  })
  await host.exec(["ufw", "--force", "enable"], { env })
  return { env, [Symbol.asyncDispose]: () => Promise.resolve() }
}

const BUS = `<busconfig><type>system</type><listen>unix:path=SOCKET</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow receive_sender="*"/></policy>
</busconfig>
`

/** firewalld with its defaults on a bus of its own: every interface is in zone public. */
export async function startFirewalld(host: Host): Promise<Tool> {
  const files = await unpacked("firewalld", "python3-firewall", "python3-nftables")
  const bus = host.file("bus")
  writeFileSync(host.file("bus.conf"), BUS.replace("SOCKET", bus))
  const settings = host.file("firewalld")
  cpSync(join(files, "etc/firewalld"), settings, { recursive: true })
  const python = `env DBUS_SYSTEM_BUS_ADDRESS=unix:path=${bus} PYTHONPATH=${join(files, "usr/lib/python3/dist-packages")} PYTHONDONTWRITEBYTECODE=1 ${PYTHON}`
  const offline = `${python} ${join(files, "usr/bin/firewall-offline-cmd")} --system-config ${settings} --default-config ${join(files, "usr/lib/firewalld")}`
  const env = programs(host, {
    "firewall-cmd": `${python} ${join(files, "usr/bin/firewall-cmd")}`,
    "firewall-offline-cmd": offline,
  })
  const started: Program[] = [
    host.start(["dbus-daemon", `--config-file=${host.file("bus.conf")}`, "--nofork", "--nopidfile", "--print-address"]),
  ]
  await started[0]?.nextLine()
  const daemon = `${python} ${join(files, "usr/sbin/firewalld")} --nofork --nopid --log-target console --system-config ${settings} --default-config ${join(files, "usr/lib/firewalld")}`
  started.push(host.start(["sh", "-c", `exec ${daemon}`]))
  const running = async (): Promise<true | undefined> =>
    (await host.try(["firewall-cmd", "--state"], { env })).code === 0 ? true : undefined
  if ((await until(running, 30_000)) === undefined) {
    throw new Error("firewalld did not start")
  }
  return {
    env,
    async [Symbol.asyncDispose]() {
      for (const program of started.toReversed()) {
        await program.stop()
      }
    },
  }
}

/** dockerd of Debian's docker.io, with nothing but its default bridge. */
export async function startDocker(host: Host): Promise<AsyncDisposable> {
  const place = host.file("docker")
  mkdirSync(place, { recursive: true })
  const options = [
    "--data-root",
    join(place, "data"),
    "--exec-root",
    join(place, "exec"),
    "--pidfile",
    join(place, "pid"),
    "--storage-driver",
    "vfs",
  ]
  const command = ["dockerd", "--host", `unix://${join(place, "socket")}`, ...options]
  const program = host.start(["unshare", "--mount", "sh", "-c", `exec ${command.join(" ")} 2>&1`])
  while (!(await program.nextLine(60_000)).includes("API listen on")) {
    // Its log says when its rules are complete.
  }
  return {
    async [Symbol.asyncDispose]() {
      // It ends its containerd by itself.
      program.kill("SIGTERM")
      await program.exited
      await program.stop()
    },
  }
}
