// Where the root directory is no mount point, as in a chroot: what works there works, what cannot says why.

import { expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmdirSync, symlinkSync, unlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Host } from "../host.ts"

const LINKSPAN = [process.execPath, "--no-env-file", join(import.meta.dir, "../../src/main.ts")]

/** The host's tree, entry by entry, so that the directory itself is no mount point. The mounts end with the command. */
function chrooted(root: string, command: readonly string[]): string[] {
  const binds: string[] = []
  for (const entry of readdirSync("/", { withFileTypes: true })) {
    if (entry.isSymbolicLink()) {
      symlinkSync(readlinkSync(`/${entry.name}`), `${root}/${entry.name}`)
    } else if (entry.isDirectory()) {
      mkdirSync(`${root}/${entry.name}`)
      binds.push(`mount --rbind "/${entry.name}" "${root}/${entry.name}"`)
    }
  }
  const script = `mount --make-rprivate / && ${binds.join(" && ")} && exec chroot ${root} "$@"`
  return ["unshare", "-m", "sh", "-c", script, "sh", ...command]
}

test("in a chroot a namespace can be attached, and run says why it cannot", async () => {
  const root = mkdtempSync(join(tmpdir(), "linkspan-chroot-"))
  try {
    await using host = await Host.create({ uplink: false, cli: chrooted(root, LINKSPAN) })
    const a = await host.netns("a")
    ;(await host.cli(["network", "create", "web", "--subnet", "10.63.0.0/24"])).ok()
    ;(await host.cli(["attach", "a", "--netns", a.path, "--network", "web"])).ok()
    expect(await a.ip(["-4", "address", "show", "eth0"])).toMatchObject([{ addr_info: [{ local: "10.63.0.2" }] }])
    const refused = await host.cli(["run", "--network", "web", "--", "true"])
    expect(refused.stderr).toBe(
      `linkspan: Cannot start "true": the root directory here, of a chroot or an initramfs, cannot be changed for a container
  hint: Start linkspan outside of the chroot, with --rootfs for its directory; attaching namespaces works here too
`,
    )
    expect(refused.code).toBe(9)
    ;(await host.cli(["detach", "a"])).ok()
    ;(await host.cli(["network", "rm", "web"])).ok()
  } finally {
    // Not recursively: what might still be mounted there is the host's.
    for (const entry of readdirSync(root, { withFileTypes: true })) {
      entry.isDirectory() ? rmdirSync(`${root}/${entry.name}`) : unlinkSync(`${root}/${entry.name}`)
    }
    rmdirSync(root)
  }
})
