// Without root the demo runs in a user namespace, where the caller is root over namespaces that are made there. That
// the host allows this is asked by trying it.

import { LinkspanError } from "#model/errors.ts"

/** Set in the inner process, so that it never tries again. */
const INSIDE = "LINKSPAN_DEMO_INSIDE"

export function needsUserNamespace(env: Readonly<Record<string, string | undefined>>): boolean {
  return process.geteuid?.() !== 0 && env[INSIDE] === undefined
}

/**
 * Runs this very command line once more in a user namespace.
 * @throws LinkspanError NOT_PERMITTED where the host does not allow that
 */
export async function runInUserNamespace(env: Readonly<Record<string, string | undefined>>): Promise<number> {
  const unshare = Bun.which("unshare")
  const wrapper = ["--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
  const allowed =
    unshare !== null && Bun.spawnSync([unshare, ...wrapper, "true"], { stdio: ["ignore", "ignore", "ignore"] }).success
  if (unshare === null || !allowed) {
    throw new LinkspanError("NOT_PERMITTED", {
      message: `Cannot run the demo: it needs root, or a host that lets users make namespaces, and ${unshare === null ? 'there is no "unshare" to try that with' : "this one does not"}`,
      hint: "Run it with sudo, or ask for: sysctl kernel.unprivileged_userns_clone=1 (Debian), kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu)",
    })
  }
  const inner = Bun.spawn([unshare, ...wrapper, ...selfCommand(), ...process.argv.slice(2)], {
    stdio: ["inherit", "inherit", "inherit"],
    env: { ...env, [INSIDE]: "1" },
  })
  return await inner.exited
}

/** What starts this program again: the executable, or the runtime with its script. */
export function selfCommand(): string[] {
  return Bun.main.startsWith("/$bunfs/") ? [process.execPath] : [process.execPath, Bun.main]
}
