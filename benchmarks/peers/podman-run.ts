// Debian's Podman as a whole, with the one or the other netavark: a container that does nothing, on the default network.

import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import type { Contender, Place } from "../contender.ts"
import { run, timed } from "../lab.ts"

/** Where linkspan's state is when nobody says anything: Podman's clean-up is called without its environment. */
const STATE = "/var/lib/linkspan"
const APPLETS = ["sh", "true"]

/** @param helpers the directory of netavark and aardvark-dns. */
export async function openPodman({ dir }: Place, helpers: string): Promise<Contender> {
  for (const made of ["state", "image/bin", "image/etc", "networks"]) {
    mkdirSync(`${dir}/${made}`, { recursive: true })
  }
  mkdirSync(STATE, { recursive: true })
  await run("mount", "--bind", `${dir}/state`, STATE)
  // crun takes a hierarchy of the second version alone.
  await run("umount", "-R", "/sys/fs/cgroup")
  await run("mount", "-t", "cgroup2", "none", "/sys/fs/cgroup")
  for (const directory of ["/run/lock", "/run/libpod"]) {
    mkdirSync(directory, { recursive: true })
  }
  writeFileSync(
    `${dir}/containers.conf`,
    [
      "[containers]",
      'default_ulimits = ["nofile=1024:1024", "nproc=1000:1000", "memlock=64:64"]',
      'cgroups = "disabled"',
      "[engine]",
      'cgroup_manager = "cgroupfs"',
      'events_logger = "file"',
      `helper_binaries_dir = ["${helpers}", "/usr/lib/podman"]`,
      "[network]",
      'network_backend = "netavark"',
      `network_config_dir = "${dir}/networks"`,
      "",
    ].join("\n"),
  )
  writeFileSync(
    `${dir}/storage.conf`,
    `[storage]\ndriver = "vfs"\nrunroot = "/run/containers/storage"\ngraphroot = "${dir}/storage"\n`,
  )
  const env = {
    CONTAINERS_CONF: `${dir}/containers.conf`,
    CONTAINERS_STORAGE_CONF: `${dir}/storage.conf`,
  }
  copyFileSync("/bin/busybox", `${dir}/image/bin/busybox`)
  await run("chmod", "755", `${dir}/image/bin/busybox`)
  for (const applet of APPLETS) {
    symlinkSync("busybox", `${dir}/image/bin/${applet}`)
  }
  await run("tar", "-C", `${dir}/image`, "-cf", `${dir}/image.tar`, ".")
  const podman = (...words: readonly string[]) => timed({ cmd: ["podman", ...words], env })
  await podman("import", `${dir}/image.tar`, "bench")
  const told = await podman("info", "--format", "{{.Version.Version}}")
  return {
    version: `Podman ${told.stdout.trim()} with ${(await run(`${helpers}/netavark`, "--version")).trim()}`,
    attach: async () => (await podman("run", "--rm", "bench", "true")).ms,
    // The container has gone by itself.
    detach: async () => 0,
    close: async () => {},
  }
}
